"""A pool whose images are made up as they are asked for, and the memory that a process has needed."""

import resource
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from pickwell.learner.generators import generator
from pickwell.strategies.strategy import RoundView


@dataclass(frozen=True)
class Stream:
    """So many random images of `height` x `width` pixels, `batch` at a time."""

    items: int
    height: int
    width: int
    batch: int = 1

    def __len__(self) -> int:
        return self.items

    def ids(self) -> Tensor:
        return torch.arange(self.items)

    def batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        for ids in self.ids().split(self.batch):
            drawn = generator(0, "images", int(ids[0]))
            yield ids, torch.rand(len(ids), 3, self.height, self.width, generator=drawn)

    def whole(self, side: int) -> "Stream":
        return self


@dataclass(frozen=True)
class _View:
    learner: object
    unlabelled: Stream
    rng: torch.Generator


def view(learner: object, unlabelled: Stream, rng: torch.Generator) -> RoundView:
    """As much of a round as strategies without networks of their own ask for."""
    return cast("RoundView", _View(learner, unlabelled, rng))


def peak() -> float:
    """The most memory that this process has held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
