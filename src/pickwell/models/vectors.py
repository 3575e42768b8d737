"""Heads on feature vectors `(B, D)` in place of images: logistic regression, a linear layer, one hidden layer.

Use when: an encoder looks at the images; `logistic` is the default there. The others learn step by step.
Source: ours.
"""

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

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


class Logistic(VectorNetwork):
    """A linear head on vectors scaled to length 1, solved to the end instead of trained by steps."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan, hidden=False)

    def maps(self, images: Tensor) -> Tensor:
        return normalize(images)

    @torch.no_grad()
    def put(self, weight: Tensor, bias: Tensor) -> None:
        """Takes the weights `(C, D)` and biases `(C,)` that were found."""
        last = self.classifier[-1]
        assert isinstance(last, Linear)
        assert last.bias is not None
        last.weight.copy_(weight)
        last.bias.copy_(bias)

    def solution(self) -> tuple[Tensor, Tensor]:
        """The weights `(C, D)` and biases `(C,)`, for vectors of length 1."""
        last = self.classifier[-1]
        assert isinstance(last, Linear)
        return last.weight.detach(), last.bias.detach()

    def head(self, embedding: Tensor) -> Tensor:
        # Not in bfloat16: logits of three digits would make equals of many probabilities, and save no time.
        with torch.autocast(embedding.device.type, enabled=False):
            return super().head(embedding)


VECTORS: Final[dict[str, Build]] = {
    "logistic": Logistic,
    "linear": lambda plan: VectorNetwork(plan, hidden=False),
    "mlp": lambda plan: VectorNetwork(plan, hidden=True),
}
