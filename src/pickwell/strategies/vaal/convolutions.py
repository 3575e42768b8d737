"""The VAE's stride-2 4x4 convolutions, down and up, which learn fast on a CPU at the paper's size too.

The weight gradient of the deepest stage, 8 million weights on a map of 2 x 2, takes oneDNN four times as long as the
matrix product that it is. Training such a stage therefore multiplies unfolded patches: the same sums in another order.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import fold, unfold

KERNEL, STRIDE, PADDING = 4, 2, 1
MANY_WEIGHTS = 1 << 22
"""From here on the product wins; with fewer weights the convolution does, on larger maps as well."""


class Down(nn.Conv2d):
    """`(B, inside, H, W)` -> `(B, outside, H / 2, W / 2)`, without a bias."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__(inside, outside, KERNEL, STRIDE, PADDING, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return down_by_product(x, self.weight) if _learns_slowly(x, self.weight) else super().forward(x)


class Up(nn.ConvTranspose2d):
    """`(B, inside, H, W)` -> `(B, outside, 2 H, 2 W)`, without a bias."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__(inside, outside, KERNEL, STRIDE, PADDING, bias=False)

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        return up_by_product(x, self.weight) if _learns_slowly(x, self.weight) else super().forward(x, output_size)


def down_by_product(x: Tensor, weight: Tensor) -> Tensor:
    """What `conv2d` gives for weights `(outside, inside, 4, 4)`."""
    patches = unfold(x, KERNEL, padding=PADDING, stride=STRIDE).transpose(1, 2)
    maps = (patches @ weight.flatten(1).t()).transpose(1, 2)
    return maps.reshape(len(x), -1, x.shape[2] // STRIDE, x.shape[3] // STRIDE)


def up_by_product(x: Tensor, weight: Tensor) -> Tensor:
    """What `conv_transpose2d` gives for weights `(inside, outside, 4, 4)`."""
    patches = weight.flatten(1).t() @ x.flatten(2)
    return fold(patches, (STRIDE * x.shape[2], STRIDE * x.shape[3]), KERNEL, padding=PADDING, stride=STRIDE)


def _learns_slowly(x: Tensor, weight: Tensor) -> bool:
    return (
        torch.is_grad_enabled() and x.device.type == "cpu" and weight.numel() >= MANY_WEIGHTS and x.shape[-1] <= KERNEL
    )
