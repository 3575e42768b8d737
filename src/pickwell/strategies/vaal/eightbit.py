"""An encoder's convolutions in eight bits: a large encoder scores three times as fast as in bfloat16 on a CPU.

Images come as bytes anyhow, weights get a scale for each output channel, and each map one scale, from what some
images make of it. The sums are exact, so an image's latents depend on no other image.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn

from pickwell.learner.devices import cpu_can
from pickwell.strategies.vaal.convolutions import KERNEL, MANY_WEIGHTS, PADDING, STRIDE

BYTES, SIGNED = 255, 127
"""The largest byte of a map, which is never negative, and of a weight, which has a sign."""
MEASURED = 32
"""How many images say what values the maps take."""


def worthwhile(body: nn.Module, x: Tensor) -> bool:
    """Whether this CPU multiplies bytes, and the encoder is large enough for it to matter."""
    able = x.device.type == "cpu" and cpu_can("avx512_vnni") and hasattr(torch.ops.onednn, "qconv2d_pointwise")
    many = sum(layer.weight.numel() for layer in body.children() if isinstance(layer, nn.Conv2d)) >= MANY_WEIGHTS
    return able and many


class EightBit(nn.Module):
    """A body of `folded` convolutions, each with its ReLU, that takes images `(B, C, H, W)` in [0, 1]."""

    def __init__(self, body: nn.Module, images: Tensor) -> None:
        super().__init__()
        layers = list(body.children())
        first = next(at for at, layer in enumerate(layers) if isinstance(layer, nn.Conv2d))
        self.margin = nn.Sequential(*layers[:first])
        scales = [1 / BYTES, *_scales(layers[first:], self.margin(images[:MEASURED].float()))]
        convolutions = [layer for layer in layers if isinstance(layer, nn.Conv2d)]
        self.steps = [_Step(one, *pair) for one, pair in zip(convolutions, pairwise(scales), strict=True)]

    def forward(self, x: Tensor) -> Tensor:
        maps = self.margin(x).mul(BYTES).round_().clamp_(0, BYTES).to(torch.uint8)
        for step in self.steps[:-1]:
            maps = step(maps, torch.uint8)
        return self.steps[-1](maps, torch.float32).flatten(1)


class _Step:
    """One convolution and its ReLU: bytes that count `before` each become bytes that count `after`, or floats."""

    def __init__(self, convolution: nn.Conv2d, before: float, after: float) -> None:
        weight = convolution.weight.detach().float()
        # A channel of zeros would have no scale.
        self.weight_scales = weight.abs().amax((1, 2, 3)).div(SIGNED).clamp(min=1e-12)
        signed = (weight / self.weight_scales.view(-1, 1, 1, 1)).round().to(torch.int8)
        self.before, self.after, self.bias = before, after, convolution.bias
        self.zeros = torch.zeros(len(weight), dtype=torch.int32)
        self.window = [STRIDE] * 2, [PADDING] * 2, [1, 1], 1
        assert convolution.kernel_size == (KERNEL, KERNEL), convolution
        self.weight = torch.ops.onednn.qconv_prepack(signed, self.weight_scales, before, 0, *self.window, None)

    def __call__(self, maps: Tensor, dtype: torch.dtype) -> Tensor:
        after = 1.0 if dtype.is_floating_point else self.after
        weights = self.weight, self.weight_scales, self.zeros, self.bias
        # Zero points are 0: after a ReLU no map is negative.
        out: Tensor = torch.ops.onednn.qconv2d_pointwise(
            maps, self.before, 0, *weights, *self.window, after, 0, dtype, "relu", [], ""
        )
        return out


def _scales(layers: list[nn.Module], x: Tensor) -> list[float]:
    """What one byte of each map counts, so that the images' largest values just fit."""
    scales = []
    for layer in layers:
        x = layer(x)
        if isinstance(layer, nn.ReLU):
            scales.append(max(x.max().item(), 1e-12) / BYTES)
    return scales
