"""Who answers: a file of known labels, a noisy copy of it, or a person."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch

from pickwell.data.pool import Pool
from pickwell.errors import LabelError
from pickwell.items import Item, Label, Round
from pickwell.labels import IGNORE_INDEX, check_class
from pickwell.learner.seeds import generator
from pickwell.tasks.segmentation.label_maps import Mask, MaskFolder, check_mask


class Oracle(Protocol):
    """Whoever labels items."""

    def answer(self, items: Sequence[Item]) -> Sequence[Label]:
        """A label for each item; empty if the labels went straight to the store."""
        ...


@dataclass(frozen=True)
class KnownMasks:
    """The masks that a pool's images came with, and the folder that keeps those told."""

    pool: Pool
    folder: MaskFolder

    def of(self, item: Item, classes: Sequence[str]) -> Mask:
        """The item's known mask; a LabelError if there is none, or it has more classes than these."""
        if item.known is None:
            raise LabelError(
                f"item {item.id} ({item.name}) has no known mask, so it cannot be labelled by itself; "
                "make the campaign with --masks, or label by hand with ask and tell"
            )
        mask, (width, height) = self.pool.mask(item.id), self.pool.manifest.sizes([item.id])[0].tolist()
        check_mask(mask, (width, height), len(classes), f"item {item.id} ({item.name}): ")
        return mask


@dataclass(frozen=True)
class Simulated:
    """Answers with the label that the pool's folder or table gives; with the mask, where there are `masks`."""

    classes: tuple[str, ...]
    masks: KnownMasks | None = None

    def answer(self, items: Sequence[Item]) -> list[Label]:
        """The known labels; a LabelError if one is not known."""
        return [Label(item.id, self.value(item), annotator="simulated") for item in items]

    def value(self, item: Item) -> str:
        """The class, or the name of the mask, that is the right answer."""
        return self.masks.folder.put(self.masks.of(item, self.classes)) if self.masks else self.known(item)

    def known(self, item: Item) -> str:
        """The item's known class."""
        if item.known is None:
            raise LabelError(
                f"item {item.id} ({item.name}) has no known label, so it cannot be labelled by itself; "
                "make the campaign with --labels-from-folders or a label column, or label by hand with ask and tell"
            )
        return check_class(item.known, self.classes, where=f"item {item.id} ({item.name}): ")


@dataclass(frozen=True)
class Noisy:
    """Answers wrongly with probability `rate`, with another class of the same group, or of all where none is given.

    Which items are wrong, and how, depends on `seed` and the item alone. In a mask each class that occurs is mistaken
    with that probability, wherever it occurs: all of its pixels become one other class. Outlines stay right.
    """

    truth: Simulated
    rate: float
    groups: Sequence[Sequence[str]] = field(default=())
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.rate <= 1:
            raise LabelError(f"a noisy oracle's rate is {self.rate}; it must be between 0 and 1")
        for group in self.groups:
            for name in group:
                check_class(name, self.truth.classes, where="a noisy oracle's group: ")

    def answer(self, items: Sequence[Item]) -> list[Label]:
        """The known labels, some of them wrong."""
        return [Label(item.id, self._answer(item), annotator="noisy") for item in items]

    def _answer(self, item: Item) -> str:
        if self.truth.masks:
            return self.truth.masks.folder.put(self._mistaken_mask(self.truth.masks.of(item, self.truth.classes), item))
        return self._mistaken(self.truth.known(item), item.id)

    def _mistaken_mask(self, mask: Mask, item: Item) -> Mask:
        classes, table = self.truth.classes, np.arange(256, dtype=np.uint8)
        for index in np.unique(mask[mask != IGNORE_INDEX]).tolist():
            table[index] = classes.index(self._mistaken(classes[index], item.id, index))
        return table[mask]

    def _mistaken(self, right: str, *what: int) -> str:
        others = [name for name in self._group(right) if name != right]
        rng = generator(self.seed, "noise", *what)
        if not others or torch.rand((), generator=rng).item() >= self.rate:
            return right
        return others[int(torch.randint(len(others), (), generator=rng))]

    def _group(self, name: str) -> Sequence[str]:
        return next((group for group in self.groups if name in group), () if self.groups else self.truth.classes)


@dataclass(frozen=True)
class Human:
    """Waits until people have answered everything, by whatever way their labels reach the store."""

    current: Callable[[], Round | None]
    seconds: float = 1.0

    def answer(self, items: Sequence[Item]) -> list[Label]:
        """Nothing, once all are decided, disputes among them: the labels are in the store already."""
        wanted = {item.id for item in items}
        while (question := self.current()) and wanted & {pick.item for pick in question.undecided}:
            time.sleep(self.seconds)
        return []
