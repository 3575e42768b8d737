"""Batches out of scenes of many sizes: crops of image and mask together, and whole images resized into squares."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from pickwell.data.augment import flip
from pickwell.data.images import to_float
from pickwell.errors import SettingsError, unknown
from pickwell.labels import IGNORE_INDEX
from pickwell.learner.batches import Draws
from pickwell.learner.generators import generator

KINDS = {"none": (False, False), "crop": (True, False), "crop-flip": (True, True)}
"""The augmentations by name, and whether each moves the crop and mirrors; "none" takes the middle of each scene."""


class SceneSource(Protocol):
    """Where scenes come from."""

    def read(self, ids: Tensor) -> list[Tensor]:
        """Images uint8 `(3, H, W)`, each of its own size."""
        ...

    def resized(self, ids: Tensor, size: int) -> Tensor:
        """The whole images as uint8 `(B, 3, size, size)`."""
        ...


class MaskSource(Protocol):
    """Where the labelled scenes' masks come from, by place."""

    def __len__(self) -> int: ...

    def __getitem__(self, places: Tensor, /) -> Tensor: ...

    def at(self, places: Tensor) -> list[Tensor]:
        """Label maps uint8 `(H, W)`, each of its own size."""
        ...


class Window(NamedTuple):
    """Which rows and columns of a scene, in order, make a crop; those outside of it lie beyond its edge."""

    rows: Tensor
    columns: Tensor


@dataclass(frozen=True)
class SceneDraws(Draws):
    """Draws batches of crops for the task model; for an auxiliary model, whole images resized to `whole` pixels a side.

    Image and mask share a crop and its mirroring; masks are gathered, never interpolated. A scene smaller than the crop
    is continued by its edge, where the mask is 255. Pixels are bytes until they are on the device.
    """

    images: SceneSource  # type: ignore[assignment]
    targets: MaskSource
    crop: int = field(kw_only=True)
    whole: int = field(kw_only=True)

    def _labelled(self, places: Tensor, step: int, member: int, both: bool) -> tuple[Tensor, Tensor]:
        """Squares for an auxiliary model, crops for the task model; their masks go with them."""
        chance, ids = generator(self.seed, "view", "labelled", member, step), self.labelled[places]
        masks = self.targets.at(places)
        if both:
            pixels = self.images.resized(ids, self.whole)
            truth = torch.stack([gathered(mask, resize(mask, self.whole)) for mask in masks])
            # One channel more, so that image and mask are mirrored together.
            mirrored = self._mirrored(torch.cat((pixels, truth[:, None]), dim=1), chance)
            return to_float(self.devices.put(mirrored[:, :3])), self.devices.put(mirrored[:, 3].long())
        scenes = self.images.read(ids)
        windows = drawn([scene.shape[-2:] for scene in scenes], self.crop, self.augmentation, chance)
        images = torch.stack([gathered(scene, window) for scene, window in zip(scenes, windows, strict=True)])
        truth = torch.stack([labels(mask, window) for mask, window in zip(masks, windows, strict=True)])
        return to_float(self.devices.put(images)), self.devices.put(truth).long()

    def _unlabelled(self, ids: Tensor, step: int, member: int) -> Tensor:
        chance = generator(self.seed, "view", "unlabelled", member, step)
        return to_float(self.devices.put(self._mirrored(self.images.resized(ids, self.whole), chance)))

    def _mirrored(self, squares: Tensor, chance: torch.Generator) -> Tensor:
        return flip(squares, chance) if _kind(self.augmentation)[1] else squares


def drawn(sizes: Sequence[torch.Size], side: int, augmentation: str, chance: torch.Generator) -> list[Window]:
    """A window `side` pixels high and wide into each scene `(H, W)`; a smaller scene lies somewhere in it.

    Random: three numbers a scene, whatever its size.
    """
    moved, mirrored = _kind(augmentation)
    numbers = torch.rand(len(sizes), 3, generator=chance)
    windows = []
    for (height, width), (down, across, coin) in zip(sizes, numbers.tolist(), strict=True):
        rows, columns = (_run(length, side, at if moved else None) for length, at in ((height, down), (width, across)))
        windows.append(Window(rows, columns.flip(0) if mirrored and coin < 0.5 else columns))
    return windows


def _run(length: int, side: int, at: float | None) -> Tensor:
    free = abs(length - side)
    start = free // 2 if at is None else int(at * (free + 1))
    # A smaller scene lies somewhere in the window, which then begins before the edge.
    return torch.arange(side) + (start if length >= side else -start)


def gathered(pixels: Tensor, window: Window) -> Tensor:
    """The window's pixels of `(..., H, W)`, the scene's edge where it looks beyond."""
    height, width = pixels.shape[-2:]
    return pixels[..., window.rows.clamp(0, height - 1), :][..., window.columns.clamp(0, width - 1)]


def labels(mask: Tensor, window: Window) -> Tensor:
    """The window's labels of a mask `(H, W)`; 255 where it looks beyond."""
    found, (height, width) = gathered(mask, window), mask.shape
    found[(window.rows < 0) | (window.rows >= height)] = IGNORE_INDEX
    found[:, (window.columns < 0) | (window.columns >= width)] = IGNORE_INDEX
    return found


def resize(mask: Tensor, side: int) -> Window:
    """The nearest pixels of a mask `(H, W)` resized into a square.

    >>> resize(torch.zeros(4, 6), 2).columns.tolist()
    [1, 4]
    """
    height, width = mask.shape
    # The pixel below the middle of each cell: (2 k + 1) / 2 cells in, in whole numbers.
    steps = torch.arange(side) * 2 + 1
    return Window(steps * height // (2 * side), steps * width // (2 * side))


def _kind(augmentation: str) -> tuple[bool, bool]:
    if augmentation not in KINDS:
        raise SettingsError(unknown("augmentation of masks", augmentation, KINDS))
    return KINDS[augmentation]
