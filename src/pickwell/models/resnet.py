"""ResNet-18 under torchvision's parameter names.

Use when: photographs are to be classified; the default above 64 pixels a side.
Source: He et al. 2016.

Up to 64 pixels a side the stem is a 3x3 convolution of stride 1 without pooling, the usual form for CIFAR.
"""

from typing import Final

import torch
from torch import Tensor, nn

from pickwell.models.blocks import BasicBlock, Linear, convolution
from pickwell.models.network import Build, Network, Plan, initialise


def layer(inputs: int, outputs: int, stride: int, blocks: int = 2) -> nn.Sequential:
    """Basic blocks of one size, the first of which may change it."""
    rest = [BasicBlock(outputs, outputs) for _ in range(blocks - 1)]
    return nn.Sequential(BasicBlock(inputs, outputs, stride=stride), *rest)


class ResNet(Network):
    """ResNet-18; without dropout, as published, unless the plan asks for some before `fc`."""

    # bn1's statistics are those of conv1's output: one without the other is worse than neither.
    groups = ("fc.",), ("conv1.", "bn1.")

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        first, second, third, fourth = map(plan.channels, (64, 128, 256, 512))
        self.conv1 = convolution(3, first, 3) if plan.small else convolution(3, first, 7, stride=2)
        self.bn1 = nn.BatchNorm2d(first)
        self.maxpool = nn.Identity() if plan.small else nn.MaxPool2d(3, 2, padding=1)
        self.layer1 = layer(first, first, 1)
        self.layer2 = layer(first, second, 2)
        self.layer3 = layer(second, third, 2)
        self.layer4 = layer(third, fourth, 2)
        self.dropout = nn.Dropout(plan.rate(0.0))
        self.fc = Linear(fourth, plan.num_classes)
        initialise(self)

    def maps(self, images: Tensor) -> Tensor:
        stem = self.maxpool(torch.relu(self.bn1(self.conv1(images))))
        maps: Tensor = self.layer4(self.layer3(self.layer2(self.layer1(stem))))
        return maps

    def pooled(self, maps: Tensor) -> Tensor:
        return maps.mean((2, 3))

    def head(self, embedding: Tensor) -> Tensor:
        logits: Tensor = self.fc(self.dropout(embedding))
        return logits


NETWORKS: Final[dict[str, Build]] = {"resnet18": ResNet}
