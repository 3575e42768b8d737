"""LR-ASPP: a light head that labels every pixel from a network's maps of several strides.

Source: Howard et al. 2019, "Searching for MobileNetV3", section 6.3. Theirs joins two strides, 16 and 8; this one four,
4 to 32: on few scenes the finer maps see poles and signs, the coarser ones what they belong to.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate


class LRASPP(nn.Module):
    """Class scores from the maps of a pyramid; `channels` by stride, the last of which is weighed by its context."""

    def __init__(self, channels: Mapping[int, int], context: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.strides = sorted(channels)
        coarsest = channels[self.strides[-1]]
        self.context = nn.Sequential(nn.Conv2d(coarsest, context, 1, bias=False), nn.BatchNorm2d(context), nn.ReLU())
        self.gate = nn.Conv2d(coarsest, context, 1, bias=False)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Conv2d(context + sum(channels[stride] for stride in self.strides[:-1]), classes, 1)

    def maps(self, pyramid: Mapping[int, Tensor]) -> Tensor:
        """All strides' maps side by side, `(B, K, h, w)`, as large as those of the smallest stride."""
        *finer, coarsest = (pyramid[stride] for stride in self.strides)
        weighed = self.context(coarsest) * torch.sigmoid(self.gate(coarsest.mean((2, 3), keepdim=True)))
        first, size = finer[0], finer[0].shape[-2:]
        others = [interpolate(maps, size=size, mode="bilinear", align_corners=False) for maps in (*finer[1:], weighed)]
        return torch.cat([first, *others], dim=1)

    def forward(self, maps: Tensor) -> Tensor:
        """Scores `(B, C, h, w)` at every place of `maps`."""
        scores: Tensor = self.fc(self.dropout(maps))
        return scores
