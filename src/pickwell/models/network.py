"""What every task network can do, and the plan that one is built from."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn

SMALL = 64
"""Images up to this side get a stem (and, for VGG, a head) that keeps their few pixels."""

SHOWN = 3
"""How many of a weight file's entries are named."""

DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a network is to be: its classes, its images' side, its width, its dropout (None: the family's own)."""

    num_classes: int
    image_size: int = 224
    width: float = 1.0
    dropout: float | None = None

    @property
    def small(self) -> bool:
        """Whether the images are small enough for the CIFAR-size stem."""
        return self.image_size <= SMALL

    def channels(self, count: int) -> int:
        """`count` scaled by the width, rounded to a multiple of 8, at least 8; `count` itself at width 1."""
        return count if self.width == 1.0 else max(8, 8 * round(count * self.width / 8))

    def rate(self, usual: float) -> float:
        """The dropout rate asked for, else the family's `usual` one."""
        return usual if self.dropout is None else self.dropout


Build = Callable[[Plan], "Network"]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a weight file gave a network."""

    path: Path
    entries: int
    """How many of the network's entries it filled."""
    fresh: tuple[str, ...]
    """The network's entries that keep their initial values: a head of other classes, a stem of another size."""
    skipped: tuple[str, ...]
    """The file's entries that have no place in the network."""

    def __str__(self) -> str:
        fresh = f"; left fresh: {some(self.fresh)}" if self.fresh else ""
        skipped = f"; not used: {some(self.skipped)}" if self.skipped else ""
        return f"{self.entries} entries from {self.path.name}{fresh}{skipped}"


class Network(nn.Module, ABC):
    """A task network in three parts: `trunk`, `pooled` and `head`; images come in as `(B, 3, H, W)` in [0, 1].

    `trunk` holds no dropout, so that many dropout passes over a batch can share one trunk: `logits(trunk(x), size)`.
    Weights are drawn from torch's default generator; seed it first.
    """

    per_pixel: ClassVar[bool] = False
    """Whether the logits are one map a class, `(B, C, H, W)`."""

    stride: ClassVar[int] = 1
    """How many times smaller than the image `maps` are."""

    groups: tuple[tuple[str, ...], ...] = (("classifier.",),)
    """Prefixes of the entries that a weight file either fits together or leaves fresh together: head, stem."""

    name: str = ""
    """What `load` knows it by."""
    mean: Tensor
    std: Tensor
    loaded: Loaded | None = None
    """What `load_weights` last put in; None for a fresh network."""

    def __init__(self) -> None:
        super().__init__()
        # ImageNet's, as the public checkpoints expect; not in the state dict, which holds the public names alone.
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1), persistent=False)

    @abstractmethod
    def maps(self, images: Tensor) -> Tensor:
        """The last feature maps `(B, K, h, w)` of normalised images."""

    @abstractmethod
    def pooled(self, maps: Tensor) -> Tensor:
        """The penultimate features `(B, D)` of feature maps."""

    @abstractmethod
    def head(self, embedding: Tensor) -> Tensor:
        """The logits `(B, C)` of penultimate features."""

    def trunk(self, images: Tensor) -> Tensor:
        """The last feature maps `(B, K, h, w)` of images; the same in every dropout pass."""
        assert images.is_floating_point(), f"images are {images.dtype}; a network takes floats in [0, 1]"
        return self.maps((images - self.mean) / self.std)

    def embed(self, images: Tensor) -> Tensor:
        """The penultimate features `(B, D)` of images."""
        return self.pooled(self.trunk(images))

    def logits(self, maps: Tensor, size: torch.Size) -> Tensor:
        """The logits of `trunk`'s maps; `size` is the images' `(H, W)`, which dense networks return to."""
        return self.head(self.pooled(maps))

    def forward(self, images: Tensor) -> Tensor:
        """The logits `(B, C)` of images, `(B, C, H, W)` from a dense network."""
        return self.logits(self.trunk(images), images.shape[-2:])

    @property
    def receptive_field(self) -> int | None:
        """How many pixels around its own a place of `maps` sees in eval mode; None: all, so tiles cannot stand in."""
        return None

    @property
    def has_dropout(self) -> bool:
        """Whether two passes in train mode can differ by dropout."""
        return any(isinstance(module, DROPOUTS) and module.p > 0 for module in self.modules())

    def translate(self, state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """A weight file's entries under this network's names, where a public file uses others."""
        return state


def initialise(network: nn.Module) -> None:
    """Draws convolutions from He's normal (fan out) and sets batch norms to the identity, as the public code does."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)


def some(names: Iterable[str]) -> str:
    """The first few names, and how many more there are."""
    listed = list(names)
    more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
    return ", ".join(listed[:SHOWN]) + more
