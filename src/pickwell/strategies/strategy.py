"""What a strategy is, and what it may see of a campaign."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pickwell.acquisition.projection import Projection
from pickwell.acquisition.stochastic import PICKINGS, Picking, perturbed
from pickwell.acquisition.streaming import TopB, check_budget, in_even_chunks, refuse_nan
from pickwell.acquisition.uncertainty import REDUCTIONS, Reduction, reduced
from pickwell.errors import SettingsError, unknown
from pickwell.items import Pick
from pickwell.learner import Batch, Devices, Learner, Stream
from pickwell.learner.checkpoints import Checkpoint


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

    @property
    def checkpoint(self) -> Checkpoint | None:
        """Where a long `select` may keep what it has reached, so that a killed `ask` goes on from there."""
        ...

    def of_pool(self, name: str, make: Callable[[Stream, torch.Generator], Iterator[Tensor]]) -> NDArray[np.float32]:
        """Vectors `(items, D)`, a row an item id, read-only: what `make` yields of the whole pool, in order of id.

        They may be kept from round to round, so `make` knows no label, no round and no network: it sees the pool and a
        generator seeded from (campaign seed, `name`), and `name` says all else that can change its vectors.
        """
        ...


@dataclass(kw_only=True)
class Strategy(ABC):
    """How to pick. Hyper-parameters are typed fields; whatever else it holds is made in `begin` or `select`."""

    @property
    def committee(self) -> int:
        """How many task models it wants trained."""
        return 1

    @property
    def bootstrap(self) -> bool:
        """Whether each of them learns from its own draw, with replacement, of the labelled images."""
        return False

    @property
    def joint_steps(self) -> int:
        """How many training steps of its own it takes beside the task model's, on the same batches."""
        return 0

    @property
    def needs_dropout(self) -> bool:
        """Whether it asks one task model for posterior samples: a model without dropout is then refused untrained."""
        return False

    @property
    def needs_labels(self) -> bool:
        """Whether it cannot pick before something is labelled; the first round is then another strategy's."""
        return True

    @property
    def needs_images(self) -> bool:
        """Whether it looks at the images themselves: a pool of vectors in their place is then refused beforehand."""
        return False

    def on_vectors(self) -> "Strategy":
        """The strategy as it is where an encoder's vectors stand in place of images."""
        return self

    @property
    def working_size(self) -> int:
        """The side of the squares that `train_step` sees scenes with masks in; classes' images come as they are."""
        return 128

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

    def projection(self) -> Projection | None:
        """A map of the pool as the last `select` saw it; None where the strategy has no latents."""
        return None


@dataclass(kw_only=True)
class Scorer(Strategy):
    """The pointwise family: one score an image, the highest are picked, ties go to the lower id.

    With another `picking` than `top` the picks are drawn, weighted by score, which takes near-duplicates apart: `power`
    by score^sharpness, `softmax` by exp(sharpness x score), `softrank` by rank^-sharpness (Kirsch et al. 2023). A
    pick's score is then the logarithm of its weight, plus the noise that drew it.
    """

    picking: Picking = "top"
    sharpness: float = 1.0

    def __post_init__(self) -> None:
        among("picking", self.picking, PICKINGS)
        require("sharpness", self.sharpness, 0 < self.sharpness < math.inf, "a number above 0")

    @abstractmethod
    def score(self, images: Tensor, learner: Learner) -> Tensor:
        """Scores `(B,)` of images `(B, 3, H, W)`; high = query first."""

    def select(self, view: RoundView, budget: int) -> list[Pick]:
        check_budget(budget, len(view.unlabelled))
        seed = int(torch.randint(2**62, (), generator=view.rng))
        scores = self._scores(view)
        if self.picking == "softrank":
            # A rank is one among all: a number an item is held, no more.
            ids, values = zip(*scores, strict=True)
            scores = iter([(torch.cat(ids), torch.cat(values))])
        best = TopB(budget)
        for some, scored in scores:
            best.update(some, perturbed(some, scored, self.picking, self.sharpness, seed))
        return best.picks()

    def _scores(self, view: RoundView) -> Iterator[tuple[Tensor, Tensor]]:
        for ids, images in in_even_chunks(view.unlabelled.batches()):
            # In double precision, as they are ranked: what orders equals lies in digits that float32 has not.
            ids, scores = ids.cpu(), self.score(images, view.learner).cpu().double()
            refuse_nan(ids, scores)
            yield ids, scores


@dataclass(kw_only=True)
class Uncertain(Scorer):
    """The pointwise strategies that ask how unsure the task model is: of an image, or of each pixel of a mask.

    `reduction` makes an image's score out of its pixels': their mean, max, sum, or `top`: the mean of the `top_share`
    of them that score highest. All pixels count: what of an unlabelled image is void nobody knows yet.
    """

    reduction: Reduction = "mean"
    top_share: float = 0.05

    def __post_init__(self) -> None:
        super().__post_init__()
        among("reduction", self.reduction, REDUCTIONS)
        require("top_share", self.top_share, 0 < self.top_share <= 1, "above 0 and at most 1")

    @abstractmethod
    def uncertainty(self, images: Tensor, learner: Learner) -> Tensor:
        """`(B, *spatial)`: of images `(B, 3, H, W)` for classes, of their pixels for masks; high = unsure."""

    def score(self, images: Tensor, learner: Learner) -> Tensor:
        return reduced(self.uncertainty(images, learner), self.reduction, share=self.top_share)


@dataclass(kw_only=True)
class Committee(Uncertain):
    """Those that ask several task models, which differ by their first weights and the order of their batches."""

    members: int = 5

    def __post_init__(self) -> None:
        super().__post_init__()
        require("members", self.members, self.members >= 2, "a whole number of at least 2")

    @property
    def committee(self) -> int:
        return self.members


def require(name: str, value: object, right: bool, allowed: str) -> None:
    """Refuses a strategy's setting that is not right."""
    if not right:
        raise SettingsError(f"strategy.{name} is {value!r}; it must be {allowed}")


def among(name: str, value: object, allowed: Sequence[str]) -> None:
    """Refuses a strategy's setting that is none of the allowed words."""
    if value not in allowed:
        raise SettingsError(unknown(f"strategy.{name}", value, allowed))
