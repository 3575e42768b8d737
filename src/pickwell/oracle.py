"""Who answers: a file of known labels, a noisy copy of it, or a person."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

import torch

from pickwell.data.pool import Pool
from pickwell.errors import LabelError
from pickwell.items import Item, Label, Round
from pickwell.labels import check_class
from pickwell.learner.generators import generator
from pickwell.tasks.task import Answer, Task


class Oracle(Protocol):
    """Whoever labels items."""

    def answer(self, items: Sequence[Item]) -> Sequence[Label]:
        """A label for each item; empty if the labels went straight to the store."""
        ...


@dataclass(frozen=True)
class Simulated:
    """Answers with what the images of the pool came with: a label of their folder or table, or a mask."""

    task: Task
    pool: Pool

    def answer(self, items: Sequence[Item]) -> list[Label]:
        """The known labels; a LabelError if one is not known."""
        return [Label(item.id, self.task.keep(self.known(item)), annotator="simulated") for item in items]

    def known(self, item: Item) -> Answer:
        """The right answer."""
        found = self.task.known(self.pool, item)
        if found is None:
            raise LabelError(
                f"item {item.id} ({item.name}) has no known {self.task.noun}, so it cannot be labelled by itself; "
                f"make the campaign with {self.task.known_by}, or label by hand with ask and tell"
            )
        return found


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
                check_class(name, self.truth.task.classes, where="a noisy oracle's group: ")

    def answer(self, items: Sequence[Item]) -> list[Label]:
        """The known labels, some of them wrong."""
        return [Label(item.id, self._answer(item), annotator="noisy") for item in items]

    def _answer(self, item: Item) -> str:
        task = self.truth.task
        return task.keep(task.mistaken(self.truth.known(item), partial(self._mistaken, item.id)))

    def _mistaken(self, item: int, right: str, *what: int) -> str:
        every = () if self.groups else self.truth.task.classes
        others = [name for name in next((group for group in self.groups if right in group), every) if name != right]
        rng = generator(self.seed, "noise", item, *what)
        if not others or torch.rand((), generator=rng).item() >= self.rate:
            return right
        return others[int(torch.randint(len(others), (), generator=rng))]


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
