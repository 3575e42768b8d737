"""EfficientNet-Lite under the parameter names of its public PyTorch weights, for classes and for masks.

Use when: a network that knows ImageNet is to be fine-tuned, on few labels and above all on few masks.
Source: Tan and Le 2019; Google's Lite variants of 2020: no squeeze-and-excitation, ReLU6.

Public training also drops whole blocks at random; it is left out, for a trunk holds no dropout.
"""

import math
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import Final

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from pickwell.models.blocks import Linear
from pickwell.models.lr_aspp import LRASPP
from pickwell.models.network import Build, Network, Plan, initialise

STAGES = (  # blocks, kernel, stride, expansion, channels
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
"""Lite0's, which are EfficientNet-B0's."""
STEM, FEATURES = 32, 1280
"""Channels of the first and the last convolution, alike in every variant."""
LAST = {4: 1, 8: 2, 16: 4, 32: 6}
"""The last stage at each stride that the dense head sees."""
CONTEXT, DROPOUT = 128, 0.1
"""The dense head's channels of context, as published, and its dropout, which is ours: masks want a posterior too."""
MEAN, STD = 127 / 255, 128 / 255
"""The published scale of pixels, for images in [0, 1]."""

norm = partial(nn.BatchNorm2d, eps=1e-3, momentum=0.01)


@dataclass(frozen=True, slots=True)
class Variant:
    """How much wider and deeper than Lite0, on which images it was trained, and with which dropout."""

    width: float
    depth: float
    size: int
    dropout: float


VARIANTS: Final[dict[str, Variant]] = {
    "efficientnet_lite0": Variant(1.0, 1.0, 224, 0.2),
    "efficientnet_lite1": Variant(1.0, 1.1, 240, 0.2),
    "efficientnet_lite2": Variant(1.1, 1.2, 260, 0.3),
}


class Same(nn.Conv2d):
    """A convolution padded as TensorFlow's SAME: outputs `ceil(size / stride)`, an odd pixel right and below."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(inputs, outputs, kernel, stride, groups=groups, bias=False)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - as torch names it
        top, bottom = self.around(input.shape[-2])
        left, right = self.around(input.shape[-1])
        if (top, left) == (bottom, right):
            return F.conv2d(input, self.weight, self.bias, self.stride, (top, left), 1, self.groups)
        return F.conv2d(
            F.pad(input, (left, right, top, bottom)), self.weight, self.bias, self.stride, 0, 1, self.groups
        )

    def around(self, size: int) -> tuple[int, int]:
        """Zeros before and after a side of `size` pixels."""
        stride, kernel = self.stride[0], self.kernel_size[0]
        needed = max(0, (math.ceil(size / stride) - 1) * stride + kernel - size)
        return needed // 2, needed - needed // 2


class Block(nn.Module):
    """Channels expanded, filtered each on its own, projected back; a sum with the input where the shapes agree."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = inputs * expansion
        if expansion > 1:
            self._expand_conv, self._bn0 = Same(inputs, inner, 1), norm(inner)
        self._depthwise_conv, self._bn1 = Same(inner, inner, kernel, stride, groups=inner), norm(inner)
        self._project_conv, self._bn2 = Same(inner, outputs, 1), norm(outputs)
        self.expands, self.stride, self.residual = expansion > 1, stride, stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """The block's output, `stride` times smaller than `x`."""
        out: Tensor = F.relu6(self._bn0(self._expand_conv(x))) if self.expands else x
        out = F.relu6(self._bn1(self._depthwise_conv(out)))
        out = self._bn2(self._project_conv(out))
        return out + x if self.residual else out


class Pyramid(Network):
    """What classifier and dense network share; images of any size, the maps rounded up where 32 does not divide it."""

    def __init__(self, variant: Variant, plan: Plan) -> None:
        super().__init__()
        self.mean.fill_(MEAN)
        self.std.fill_(STD)
        stem = plan.channels(STEM)
        self._conv_stem, self._bn0 = Same(3, stem, 3, 2), norm(stem)
        self._blocks = nn.ModuleList(_blocks(variant, plan, stem))

    def blocks(self) -> list[Block]:
        """All blocks, in their order."""
        return [block for block in self._blocks if isinstance(block, Block)]

    def pyramid(self, images: Tensor) -> dict[int, Tensor]:
        """The last maps at each stride, 2 to 32, of normalised images: 16, 24, 40, 112 and 320 channels in Lite0."""
        maps = F.relu6(self._bn0(self._conv_stem(images)))
        stride, found = 2, {}
        for block in self.blocks():
            stride *= block.stride
            found[stride] = maps = block(maps)
        return found


class EfficientNetLite(Pyramid):
    """EfficientNet-Lite, a classifier."""

    groups = (("_fc.",),)

    def __init__(self, variant: Variant, plan: Plan) -> None:
        super().__init__(variant, plan)
        features = plan.channels(FEATURES)
        self._conv_head, self._bn1 = Same(_outputs(variant, plan, STAGES[-1][-1]), features, 1), norm(features)
        self._dropout = nn.Dropout(plan.rate(variant.dropout))
        self._fc = Linear(features, plan.num_classes)
        initialise(self)

    def maps(self, images: Tensor) -> Tensor:
        maps: Tensor = F.relu6(self._bn1(self._conv_head(self.pyramid(images)[32])))
        return maps

    def pooled(self, maps: Tensor) -> Tensor:
        return maps.mean((2, 3))

    def head(self, embedding: Tensor) -> Tensor:
        logits: Tensor = self._fc(self._dropout(embedding))
        return logits


class DenseEfficientNetLite(Pyramid):
    """EfficientNet-Lite that labels every pixel: a light head on its maps of four strides, then bilinear x4."""

    per_pixel = True
    stride = 4
    # A classifier's file has a head and no dense one.
    groups = (("_conv_head.", "_bn1.", "_fc.", "decoder."),)

    def __init__(self, variant: Variant, plan: Plan) -> None:
        super().__init__(variant, plan)
        channels = {stride: _outputs(variant, plan, STAGES[stage][-1]) for stride, stage in LAST.items()}
        self.decoder = LRASPP(channels, plan.channels(CONTEXT), plan.num_classes, plan.rate(DROPOUT))
        initialise(self)

    def maps(self, images: Tensor) -> Tensor:
        """The head's input `(B, K, h, w)` at a quarter of the image's size."""
        maps: Tensor = self.decoder.maps(self.pyramid(images))
        return maps

    def pooled(self, maps: Tensor) -> Tensor:
        return maps.mean((2, 3))

    def head(self, embedding: Tensor) -> Tensor:
        logits: Tensor = self.decoder(embedding[:, :, None, None]).flatten(1)
        return logits

    def logits(self, maps: Tensor, size: torch.Size) -> Tensor:
        # The maps cover ceil(side / 4) * 4 pixels; stretching would change the scale.
        full = F.interpolate(self.decoder(maps), scale_factor=self.stride, mode="bilinear", align_corners=False)
        return full[..., : size[0], : size[1]]


def folded(network: EfficientNetLite) -> EfficientNetLite:
    """A copy for inference in which every batch norm is part of the convolution before it: the same function."""
    copy = deepcopy(network).eval()
    for module in [*copy.modules()]:
        for convolution, batch_norm in _pairs(module):
            conv, bn = getattr(module, convolution), getattr(module, batch_norm)
            setattr(module, convolution, fuse_conv_bn_eval(conv, bn))
            setattr(module, batch_norm, nn.Identity())
    return copy


def _pairs(module: nn.Module) -> Iterator[tuple[str, str]]:
    """The names of a module's own convolutions, each with the batch norm that follows it."""
    names = [name for name, child in module.named_children() if isinstance(child, Same | nn.BatchNorm2d)]
    yield from zip(names[::2], names[1::2], strict=True)


def _blocks(variant: Variant, plan: Plan, inputs: int) -> Iterator[Block]:
    for number, (repeats, kernel, stride, expansion, channels) in enumerate(STAGES):
        outputs = _outputs(variant, plan, channels)
        inside = 0 < number < len(STAGES) - 1  # the first and the last stage are not repeated more often
        for repeat in range(math.ceil(variant.depth * repeats) if inside else repeats):
            yield Block(inputs, outputs, kernel, stride if repeat == 0 else 1, expansion)
            inputs = outputs


def _outputs(variant: Variant, plan: Plan, channels: int) -> int:
    """A stage's channels: scaled, to the nearest multiple of 8, never a tenth below."""
    scaled = channels * variant.width
    rounded = max(8, int(scaled + 4) // 8 * 8)
    return plan.channels(rounded + 8 if rounded < 0.9 * scaled else rounded)


NETWORKS: Final[dict[str, Build]] = {name: partial(EfficientNetLite, variant) for name, variant in VARIANTS.items()}
DENSE: Final[dict[str, Build]] = {name: partial(DenseEfficientNetLite, variant) for name, variant in VARIANTS.items()}
