"""EfficientNet-Lite: mobile inverted bottlenecks without squeeze-and-excitation, with the public weights' names.

Tan and Le, ICML 2019; the Lite variants are TensorFlow's of 2020: ReLU6, and stem and head as wide at every size.
"""

import math
from collections.abc import Iterator
from typing import Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, pad, relu6


class Stage(NamedTuple):
    """Blocks of one resolution: how many, their kernel, the first one's stride, expansion, output channels."""

    repeats: int
    kernel: int
    stride: int
    expansion: int
    channels: int


STAGES: Final = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)
STEM, HEAD = 32, 1280
SCALES: Final = {"lite0": (1.0, 1.0, 224), "lite1": (1.0, 1.1, 240), "lite2": (1.1, 1.2, 260)}
"""How many times as wide and as deep each variant is, and the side of the images that it was trained on."""
MIDDLE, SPREAD = 127.0, 128.0
"""The published input is (rgb - 127) / 128, of values 0 to 255."""
EPSILON, MOMENTUM = 1e-3, 0.01


class SameConvolution(nn.Conv2d):
    """A convolution without bias whose output is as large as its input over the stride, padded as TensorFlow does."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(inputs, outputs, kernel, stride, groups=groups, bias=False)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - as torch names it
        kernel, stride = self.kernel_size[0], self.stride[0]
        edges: list[int] = []
        for side in (int(input.shape[3]), int(input.shape[2])):
            total = max((math.ceil(side / stride) - 1) * stride + kernel - side, 0)
            edges += [total // 2, total - total // 2]
        padded = pad(input, edges) if any(edges) else input
        return conv2d(padded, self.weight, self.bias, self.stride, 0, 1, self.groups)


class Block(nn.Module):
    """Expansion, depthwise convolution, projection; the input is added where the shape stays."""

    def __init__(self, inputs: int, stage: Stage, stride: int, outputs: int) -> None:
        super().__init__()
        inner = inputs * stage.expansion
        self.expands = stage.expansion > 1
        if self.expands:
            self._expand_conv = SameConvolution(inputs, inner, 1)
            self._bn0 = norm(inner)
        self._depthwise_conv = SameConvolution(inner, inner, stage.kernel, stride, inner)
        self._bn1 = norm(inner)
        self._project_conv = SameConvolution(inner, outputs, 1)
        self._bn2 = norm(outputs)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """The block's output."""
        inner = relu6(self._bn0(self._expand_conv(x))) if self.expands else x
        inner = relu6(self._bn1(self._depthwise_conv(inner)))
        out: Tensor = self._bn2(self._project_conv(inner))
        return out + x if self.residual else out


class EfficientNetLite(nn.Module):
    """The network without its ImageNet classifier; images `(B, 3, H, W)`, values 0 to 255."""

    def __init__(self, name: str = "lite0") -> None:
        super().__init__()
        width, depth, self.side = SCALES[name]
        self._conv_stem = SameConvolution(3, STEM, 3, 2)
        self._bn0 = norm(STEM)
        blocks, strides, inputs, total = [], [], STEM, 2
        for number, stage in enumerate(STAGES):
            outputs = rounded(stage.channels * width)
            fixed = number in (0, len(STAGES) - 1)
            for repeat in range(stage.repeats if fixed else math.ceil(stage.repeats * depth)):
                stride = stage.stride if repeat == 0 else 1
                blocks.append(Block(inputs, stage, stride, outputs))
                total *= stride
                strides.append((total, outputs))
                inputs = outputs
        self._blocks = nn.ModuleList(blocks)
        self.strides = tuple(strides)
        """How many times smaller than the image each block's maps are, and their channels."""
        self._conv_head = SameConvolution(inputs, HEAD, 1)
        self._bn1 = norm(HEAD)

    def stages(self, images: Tensor) -> Iterator[Tensor]:
        """The maps after the stem and each block, the finest first."""
        x = relu6(self._bn0(self._conv_stem((images - MIDDLE) / SPREAD)))
        for block in self._blocks:
            x = block(x)
            yield x

    def maps(self, images: Tensor) -> Tensor:
        """The last maps `(B, 1280, H / 32, W / 32)`."""
        *_, x = self.stages(images)
        return relu6(self._bn1(self._conv_head(x)))

    def forward(self, images: Tensor) -> Tensor:
        """The features `(B, 1280)`: the last maps' means over all places."""
        return self.maps(images).mean((2, 3))


def norm(channels: int) -> nn.BatchNorm2d:
    """A batch norm as the public weights were trained with."""
    return nn.BatchNorm2d(channels, eps=EPSILON, momentum=MOMENTUM)


def rounded(channels: float) -> int:
    """Channels as a multiple of 8, never less than nine tenths of what was asked for.

    >>> rounded(24 * 1.1), rounded(40 * 1.1), rounded(16)
    (24, 48, 16)
    """
    found = max(8, int(channels + 4) // 8 * 8)
    return found + 8 if found < 0.9 * channels else found


@torch.no_grad()
def folded(network: EfficientNetLite) -> EfficientNetLite:
    """The network in eval mode with each batch norm folded into the convolution before it: the same, in fewer steps."""
    network.eval()
    for module in network.modules():
        pairs = [("_conv_stem", "_bn0"), ("_conv_head", "_bn1")] if module is network else []
        if isinstance(module, Block):
            pairs = [("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2")]
            pairs += [("_expand_conv", "_bn0")] if module.expands else []
        for convolution, normed in pairs:
            _fold(module, convolution, normed)
    return network


def _fold(module: nn.Module, convolution: str, normed: str) -> None:
    layer, batch = getattr(module, convolution), getattr(module, normed)
    factor = batch.weight / (batch.running_var + batch.eps).sqrt()
    layer.weight.mul_(factor[:, None, None, None])
    layer.bias = nn.Parameter(batch.bias - batch.running_mean * factor)
    setattr(module, normed, nn.Identity())
