"""Residual blocks with the parameter names that ResNet's and DRN's public checkpoints share."""

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

TILE = 48
"""A multiple of how many rows kernels multiply at once (4, 6, 8, 16 or 24): what is left over they round otherwise."""


class Linear(nn.Linear):
    """A linear layer of `(B, D)` that, in eval mode, rounds a row the same in every place of a batch."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - as torch names it
        if self.training:
            return super().forward(input)
        return super().forward(pad(input, (0, 0, 0, -len(input) % TILE)))[: len(input)]


def convolution(inputs: int, outputs: int, kernel: int, *, stride: int = 1, dilation: int = 1) -> nn.Conv2d:
    """A convolution without bias whose output is as large as its input, divided by the stride."""
    if kernel == 1 and stride > 1:
        return Thinned(inputs, outputs, stride)
    padding = dilation * (kernel // 2)
    return nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=padding, dilation=dilation, bias=False)


class Thinned(nn.Conv2d):
    """A 1x1 convolution of every n-th pixel: what one with a stride is, by the same names.

    oneDNN 3.12 (torch 2.13) writes past its memory in the gradient of such a one, where fewer than 16 channels enter
    channels last: at a quarter of DRN's width the process dies. So the pixels are taken first.
    """

    def __init__(self, inputs: int, outputs: int, every: int) -> None:
        super().__init__(inputs, outputs, 1, bias=False)
        self.every = every

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - as torch names it
        return super().forward(input[..., :: self.every, :: self.every])


def shortcut(inputs: int, outputs: int, stride: int) -> nn.Sequential | None:
    """A 1x1 projection where a block changes the size or the channels of its input, else None."""
    if stride == 1 and inputs == outputs:
        return None
    return nn.Sequential(convolution(inputs, outputs, 1, stride=stride), nn.BatchNorm2d(outputs))


class BasicBlock(nn.Module):
    """Two 3x3 convolutions around a shortcut; `residual=False` drops the shortcut's sum."""

    def __init__(self, inputs: int, outputs: int, *, stride: int = 1, dilation: int = 1, residual: bool = True) -> None:
        super().__init__()
        self.conv1 = convolution(inputs, outputs, 3, stride=stride, dilation=dilation)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = convolution(outputs, outputs, 3, dilation=dilation)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = shortcut(inputs, outputs, stride)
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        """The block's output, `stride` times smaller than `x`."""
        out = torch.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        return torch.relu(out + _passed(x, self.downsample) if self.residual else out)


class Bottleneck(nn.Module):
    """A 3x3 convolution at a quarter of the output's channels between two 1x1, around a shortcut."""

    def __init__(self, inputs: int, outputs: int, *, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        inner = outputs // 4
        self.conv1 = convolution(inputs, inner, 1)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv2 = convolution(inner, inner, 3, stride=stride, dilation=dilation)
        self.bn2 = nn.BatchNorm2d(inner)
        self.conv3 = convolution(inner, outputs, 1)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample = shortcut(inputs, outputs, stride)

    def forward(self, x: Tensor) -> Tensor:
        """The block's output, `stride` times smaller than `x`."""
        out = torch.relu(self.bn1(self.conv1(x)))
        out = torch.relu(self.bn2(self.conv2(out)))
        return torch.relu(self.bn3(self.conv3(out)) + _passed(x, self.downsample))


def _passed(x: Tensor, downsample: nn.Sequential | None) -> Tensor:
    passed: Tensor = x if downsample is None else downsample(x)
    return passed
