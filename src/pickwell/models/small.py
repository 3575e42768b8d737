"""A small convolutional network for demonstrations, tests and small machines.

Use when: images are small or the machine is slow; the default up to 64 pixels a side.
Source: ours.
"""

from typing import Final

from torch import Tensor, nn

from pickwell.models.blocks import Linear, convolution
from pickwell.models.network import Build, Network, Plan, initialise


def unit(inputs: int, outputs: int, stride: int = 1) -> list[nn.Module]:
    """A 3x3 convolution, its batch norm and its ReLU."""
    return [convolution(inputs, outputs, 3, stride=stride), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]


class SmallCNN(Network):
    """Six 3x3 convolutions at three sizes, averaged: 0.29 M weights, for images of 8 to 224 pixels a side."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        first, second, third = map(plan.channels, (32, 64, 128))
        stride = 1 if plan.small else 2  # twice: larger images are worked on at a quarter of their size
        self.features = nn.Sequential(
            *unit(3, first, stride),
            *unit(first, first, stride),
            nn.MaxPool2d(2),
            *unit(first, second),
            *unit(second, second),
            nn.MaxPool2d(2),
            *unit(second, third),
            *unit(third, third),
        )
        self.classifier = nn.Sequential(nn.Dropout(plan.rate(0.3)), Linear(third, plan.num_classes))
        initialise(self)

    def maps(self, images: Tensor) -> Tensor:
        maps: Tensor = self.features(images)
        return maps

    def pooled(self, maps: Tensor) -> Tensor:
        return maps.mean((2, 3))

    def head(self, embedding: Tensor) -> Tensor:
        logits: Tensor = self.classifier(embedding)
        return logits


NETWORKS: Final[dict[str, Build]] = {"small_cnn": SmallCNN}
