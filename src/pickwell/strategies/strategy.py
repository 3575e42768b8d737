"""What a strategy is, and what it may see of a campaign."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor

from pickwell.acquisition.streaming import TopB
from pickwell.items import Pick
from pickwell.learner import Batch, Devices, Learner


class Stream(Protocol):
    """Some of the pool's items, in ascending order of id, as a network in eval mode should see them."""

    def __len__(self) -> int: ...

    def ids(self) -> Tensor:
        """The ids, int64 `(N,)`, without touching an image."""
        ...

    def batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Ids `(B,)` and images `(B, 3, H, W)`, float32 in [0, 1], on the learner's device."""
        ...


class RoundView(Protocol):
    """The narrow, read-only window through which a strategy sees a campaign."""

    @property
    def learner(self) -> Learner: ...
    @property
    def rng(self) -> torch.Generator:
        """A CPU generator seeded from (campaign seed, round, strategy)."""
        ...

    @property
    def unlabelled(self) -> Stream: ...
    @property
    def labelled(self) -> Stream:
        """The labelled items that the learner trains on."""
        ...

    @property
    def held_out(self) -> Stream:
        """Labelled items that nothing is ever trained on; may be empty."""
        ...

    @property
    def pending(self) -> Stream:
        """Items already picked in this round by other means; they are not in `unlabelled`."""
        ...


@dataclass(kw_only=True)
class Strategy(ABC):
    """How to pick. Hyper-parameters are typed fields; whatever else it holds is made in `begin` or `select`."""

    committee: ClassVar[int] = 1
    """How many task models it wants trained."""

    @property
    def steps(self) -> int:
        """How many training steps of its own it takes beside the task model's."""
        return 0

    def begin(self, devices: Devices, sample: Batch) -> None:
        """Builds the strategy's own networks for images like `sample`'s."""

    def train_step(self, batch: Batch, draw: Callable[[], Batch]) -> Mapping[str, float]:
        """Takes one step of the strategy's own training (VAAL's half of Algorithm 1); returns its losses."""
        return {}

    @abstractmethod
    def select(self, view: RoundView, budget: int) -> list[Pick]:
        """Exactly `budget` picks out of `view.unlabelled`, rank 1 first."""

    def state(self) -> dict[str, Tensor]:
        """All that training has made, so that a killed `ask` or `fit` need not train again; {} before `begin`."""
        return {}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Puts back what `state` returned; called after `begin`."""

    def monitors(self) -> dict[str, Any]:
        """What the last `select` wants a person to see: numbers, lists of numbers, and `warnings`, sentences."""
        return {}


@dataclass(kw_only=True)
class Scorer(Strategy):
    """The pointwise family: one score an image, the highest are picked, ties go to the lower id."""

    @abstractmethod
    def score(self, images: Tensor, learner: Learner) -> Tensor:
        """Scores `(B,)` of images `(B, 3, H, W)`; high = query first."""

    def select(self, view: RoundView, budget: int) -> list[Pick]:
        best = TopB(budget)
        for ids, images in view.unlabelled.batches():
            best.update(ids, self.score(images, view.learner).float().cpu())
        return best.picks()
