"""VGG-16, with and without batch norm, under torchvision's parameter names.

Use when: the paper's classifier is wanted, or a strategy asks for dropout passes.
Source: Simonyan and Zisserman 2015.

Up to 64 pixels a side the head is dropout and one linear layer on the 512 averaged features (14.7 M weights). VAAL's
authors give CIFAR's 1x1 map to ImageNet's head: 49 copies of one vector into 4096 units, 120 M weights for no gain.
"""

from typing import Final

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from pickwell.models.blocks import Linear
from pickwell.models.network import Build, Network, Plan, initialise

STAGES = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
GRID = 7
"""Side of the map that the large head reads."""


def features(plan: Plan, *, batch_norm: bool) -> nn.Sequential:
    """The 13 convolutions and 5 poolings, numbered as torchvision's."""
    layers: list[nn.Module] = []
    inputs = 3
    for stage in STAGES:
        for outputs in map(plan.channels, stage):
            layers.append(nn.Conv2d(inputs, outputs, 3, padding=1))
            layers += [nn.BatchNorm2d(outputs)] if batch_norm else []
            layers.append(nn.ReLU(inplace=True))
            inputs = outputs
        # Five halvings of fewer than 32 pixels would leave nothing; rounding up leaves one.
        layers.append(nn.MaxPool2d(2, 2, ceil_mode=plan.image_size < 2 ** len(STAGES)))
    return nn.Sequential(*layers)


def large_head(plan: Plan, channels: int) -> nn.Sequential:
    """ImageNet's head: entries 0, 3 and 6 hold weights."""
    hidden, rate = plan.channels(4096), plan.rate(0.5)
    return nn.Sequential(
        Linear(channels * GRID * GRID, hidden),
        nn.ReLU(inplace=True),
        nn.Dropout(rate),
        Linear(hidden, hidden),
        nn.ReLU(inplace=True),
        nn.Dropout(rate),
        Linear(hidden, plan.num_classes),
    )


class VGG(Network):
    """VGG-16 for images of any size; the penultimate features are those before the last dropout."""

    def __init__(self, plan: Plan, *, batch_norm: bool) -> None:
        super().__init__()
        self.small = plan.small
        self.groups = (("classifier." if self.small else "classifier.6.",),)
        channels = plan.channels(STAGES[-1][-1])
        self.features = features(plan, batch_norm=batch_norm)
        small_head = nn.Sequential(nn.Dropout(plan.rate(0.5)), Linear(channels, plan.num_classes))
        self.classifier = small_head if plan.small else large_head(plan, channels)
        initialise(self)
        for layer in self.classifier:
            if isinstance(layer, nn.Linear):
                # As torchvision draws them.
                nn.init.normal_(layer.weight, 0.0, 0.01)
                nn.init.zeros_(layer.bias)

    def maps(self, images: Tensor) -> Tensor:
        maps: Tensor = self.features(images)
        return maps

    def pooled(self, maps: Tensor) -> Tensor:
        if self.small:
            return maps.mean((2, 3))
        hidden: Tensor = self.classifier[:-2](torch.flatten(F.adaptive_avg_pool2d(maps, GRID), 1))
        return hidden

    def head(self, embedding: Tensor) -> Tensor:
        logits: Tensor = self.classifier[-2:](embedding)
        return logits


NETWORKS: Final[dict[str, Build]] = {
    "vgg16": lambda plan: VGG(plan, batch_norm=False),
    "vgg16_bn": lambda plan: VGG(plan, batch_norm=True),
}
