"""Networks for feature vectors `(B, D)` in place of images: a linear head, and one hidden layer.

Use when: an experiment is on features in place of images (data.features, or a feature file).
Source: ours.
"""

from typing import Final

import torch
from torch import Tensor, nn

from pickwell.models.blocks import Linear
from pickwell.models.network import Build, Network, Plan

HIDDEN = 128


class VectorNetwork(Network):
    """A head on vectors of `image_size` features that are standardised already; no hidden layer, or one."""

    def __init__(self, plan: Plan, *, hidden: bool) -> None:
        super().__init__()
        width = plan.channels(HIDDEN) if hidden else plan.image_size
        self.body = nn.Sequential(Linear(plan.image_size, width), nn.ReLU(inplace=True)) if hidden else nn.Sequential()
        self.classifier = nn.Sequential(nn.Dropout(plan.rate(0.3)), Linear(width, plan.num_classes))

    def trunk(self, images: Tensor) -> Tensor:
        assert images.dim() == 2, f"vectors (B, D) are expected, not {tuple(images.shape)}"
        return self.maps(images)

    def maps(self, images: Tensor) -> Tensor:
        maps: Tensor = self.body(images)
        return maps

    def pooled(self, maps: Tensor) -> Tensor:
        return maps

    def logits(self, maps: Tensor, size: torch.Size) -> Tensor:
        return self.head(maps)

    def head(self, embedding: Tensor) -> Tensor:
        logits: Tensor = self.classifier(embedding)
        return logits


VECTORS: Final[dict[str, Build]] = {
    "linear": lambda plan: VectorNetwork(plan, hidden=False),
    "mlp": lambda plan: VectorNetwork(plan, hidden=True),
}
