"""Dilated residual networks under the parameter names of the authors' code.

Use when: masks are to be learnt; of classes, large photographs of which details count.
Source: Yu, Koltun and Funkhouser 2017.

Maps an eighth of the image's size, no max pooling, and two last levels without residuals against gridding. DRN-C builds
its first and last two levels of basic blocks, DRN-D of plain convolutions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from pickwell.models.blocks import BasicBlock, Bottleneck, convolution
from pickwell.models.network import Build, Network, Plan, initialise

CHANNELS = (16, 32, 64, 128, 256, 512, 512, 512)
STRIDES = (1, 2, 2, 2, 1, 1, 1, 1)
DILATIONS = (1, 1, 1, 1, 2, 4, 2, 1)
RESIDUAL = (2, 3, 4, 5)
"""The levels, from 0, of full residual blocks; the others are DRN-C's basic blocks or DRN-D's convolutions."""
STRIDE = 8
"""How many times smaller than the image the last map is."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """Which blocks a DRN is made of, and how many a level."""

    arch: Literal["C", "D"]
    depths: tuple[int, ...]
    bottleneck: bool = False

    def outputs(self, level: int, plan: Plan) -> int:
        """Channels that leave a level."""
        return plan.channels(CHANNELS[level]) * (4 if self.bottleneck and level in RESIDUAL else 1)


ARCHITECTURES: Final[dict[str, Architecture]] = {
    "drn_c_26": Architecture("C", (1, 1, 2, 2, 2, 2, 1, 1)),
    "drn_d_22": Architecture("D", (1, 1, 2, 2, 2, 2, 1, 1)),
    "drn_d_38": Architecture("D", (1, 1, 3, 4, 6, 3, 1, 1)),
    "drn_d_54": Architecture("D", (1, 1, 3, 4, 6, 3, 1, 1), bottleneck=True),
}


def unit(inputs: int, outputs: int, kernel: int, stride: int = 1, dilation: int = 1) -> list[nn.Module]:
    """A convolution, its batch norm and its ReLU."""
    conv = convolution(inputs, outputs, kernel, stride=stride, dilation=dilation)
    return [conv, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]


def level(form: Architecture, index: int, inputs: int, outputs: int) -> nn.Sequential:
    """One of the eight levels, `layer1` to `layer8`; its first block takes the stride and the new channels."""
    modules: list[nn.Module] = []
    dilation = DILATIONS[index]
    for number in range(form.depths[index]):
        stride = STRIDES[index] if number == 0 else 1
        if index in RESIDUAL and form.bottleneck:
            modules.append(Bottleneck(inputs, outputs, stride=stride, dilation=dilation))
        elif index in RESIDUAL or form.arch == "C":
            # A shortcut would carry the gridding past the last two levels, which are there to smooth it.
            residual = index <= RESIDUAL[-1]
            modules.append(BasicBlock(inputs, outputs, stride=stride, dilation=dilation, residual=residual))
        else:
            modules += unit(inputs, outputs, 3, stride, dilation)
        inputs = outputs
    return nn.Sequential(*modules)


class DRN(Network):
    """A DRN that classifies images: the last map's average through a 1x1 convolution named `fc`."""

    groups = (("fc.",),)
    usual_dropout: ClassVar[float] = 0.0

    def __init__(self, form: Architecture, plan: Plan) -> None:
        super().__init__()
        self.form = form
        inputs = plan.channels(CHANNELS[0])
        stem = unit(3, inputs, 7)
        if form.arch == "C":
            self.conv1, self.bn1 = stem[:2]
        else:
            self.layer0 = nn.Sequential(*stem)
        for index in range(len(CHANNELS)):
            outputs = form.outputs(index, plan)
            self.add_module(f"layer{index + 1}", level(form, index, inputs, outputs))
            inputs = outputs
        self.dropout = nn.Dropout(plan.rate(self.usual_dropout))
        self.fc = nn.Conv2d(inputs, plan.num_classes, 1)
        initialise(self)
        # Public code: standard deviation sqrt(2 / classes). Ours: sqrt(1 / inputs), the same at 1000 classes (0.044),
        # where a few classes would begin with logits of a standard deviation near 10.
        nn.init.normal_(self.fc.weight, 0.0, inputs**-0.5)

    def maps(self, images: Tensor) -> Tensor:
        maps = torch.relu(self.bn1(self.conv1(images))) if self.form.arch == "C" else self.layer0(images)
        for index in range(len(CHANNELS)):
            maps = self.get_submodule(f"layer{index + 1}")(maps)
        return maps

    def pooled(self, maps: Tensor) -> Tensor:
        return maps.mean((2, 3))

    def head(self, embedding: Tensor) -> Tensor:
        return self.scores(embedding[:, :, None, None]).flatten(1)

    def scores(self, maps: Tensor) -> Tensor:
        """Logits `(B, C, h, w)` at every place of the maps."""
        scores: Tensor = self.fc(self.dropout(maps))
        return scores

    def translate(self, state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Reads the authors' segmentation files too: `base.N` are the levels in order, `seg` the head.

        Their `up.weight` is a fixed bilinear kernel and is dropped.
        """
        if not any(name.startswith("base.") for name in state):
            return state
        # DRN-C's list begins conv1, bn1, relu.
        first = ["conv1", "bn1", ""] if self.form.arch == "C" else ["layer0"]
        names = first + [f"layer{index + 1}" for index in range(len(CHANNELS))]
        prefixes = {f"base.{place}.": f"{name}." for place, name in enumerate(names)} | {"seg.": "fc."}
        return {_renamed(name, prefixes): value for name, value in state.items() if name != "up.weight"}


class DenseDRN(DRN):
    """A DRN that labels every pixel: the same `fc` at every place of the last map, then bilinear x8.

    Dropout before `fc` is not in the public code; it lets dropout strategies work on masks. In eval mode the function
    is the public one, but for the image's outermost 4 pixels, where a transposed convolution fades towards 0.
    """

    per_pixel = True
    stride = STRIDE
    usual_dropout = 0.1

    @property
    def receptive_field(self) -> int:
        radius, step = 0, 1
        for name, module in self.named_modules():
            if isinstance(module, nn.Conv2d) and module is not self.fc and "downsample" not in name:
                # Half a kernel, in steps as long as all strides before it make them; shortcuts see no farther.
                radius += (module.kernel_size[0] // 2) * module.dilation[0] * step
                step *= module.stride[0]
        return radius

    def logits(self, maps: Tensor, size: torch.Size) -> Tensor:
        # The map covers ceil(side / 8) * 8 pixels. Cutting keeps the scale at 8 for every size; stretching would not.
        full = F.interpolate(self.scores(maps), scale_factor=STRIDE, mode="bilinear", align_corners=False)
        return full[..., : size[0], : size[1]]


def _renamed(name: str, prefixes: Mapping[str, str]) -> str:
    for old, new in prefixes.items():
        if name.startswith(old):
            return new + name.removeprefix(old)
    return name


def _classifier(form: Architecture) -> Build:
    return lambda plan: DRN(form, plan)


def _dense(form: Architecture) -> Build:
    return lambda plan: DenseDRN(form, plan)


NETWORKS: Final[dict[str, Build]] = {name: _classifier(form) for name, form in ARCHITECTURES.items()}
DENSE: Final[dict[str, Build]] = {name: _dense(form) for name, form in ARCHITECTURES.items()}
