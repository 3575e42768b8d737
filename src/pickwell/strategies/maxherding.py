"""The greedy kernel cover of the pool, by the features of each image."""

import math
from dataclasses import dataclass

from torch import Tensor

from pickwell.acquisition.kernel_cover import kernel_bandwidth, kernel_cover, spaced
from pickwell.acquisition.streaming import check_budget
from pickwell.items import Pick
from pickwell.learner import Stream
from pickwell.strategies.distances import rows_of_stream
from pickwell.strategies.strategy import RoundView, Strategy, require

MEASURED = 32_768
"""Evenly spaced images that are to be covered, at least."""
PER_PICK, PER_LABEL = 64, 8
"""As many of them for each pick, and each label, at least: of fewer, these are picked, and no others covered."""
PAIRS = MEASURED * 2048
"""Pairs of an image to be covered and one that can be picked, at most, as long as there are `CANDIDATES` a pick."""
CANDIDATES = 8


@dataclass(kw_only=True)
class MaxHerding(Strategy):
    """Picks the images that, labelled, would stand for the most of the pool.

    Use when: few or no labels are there yet, on an encoder's features; it asks nothing of the model.
    Source: Bae, Noh and Sutherland, ECCV 2024.

    A greedy cover by a Gaussian kernel, from the labelled images on; the score is the share of the pool that a pick
    newly covers. The kernel is as wide as each label's equal share of the pool is, times `reach`. Of a pool above
    32,768 images as many, evenly spaced, stand for all (64 a pick and 8 a label at least). All can be picked of up to
    8,192, of more fewer, evenly spaced: 2,048 of 32,768, eight a pick at least.
    """

    reach: float = 1.0

    def __post_init__(self) -> None:
        require("reach", self.reach, 0 < self.reach < math.inf, "a number above 0")

    @property
    def needs_labels(self) -> bool:
        return False

    def select(self, view: RoundView, budget: int) -> list[Pick]:
        check_budget(budget, len(view.unlabelled))
        pool, candidates = some_of(view, budget)
        features, weight = self._measured(view, pool)
        centres = rows_of_stream(view, view.labelled)
        width = self.reach * kernel_bandwidth(features, centres, budget)
        places, gains = kernel_cover(features, centres, budget, bandwidth=width, weight=weight, candidates=candidates)
        chosen = zip(pool.ids()[places].tolist(), gains.tolist(), strict=True)
        return [Pick(item, rank, gain) for rank, (item, gain) in enumerate(chosen, start=1)]

    def _measured(self, view: RoundView, pool: Stream) -> tuple[Tensor, Tensor | None]:
        """The rows `(N, D)` of the images that are to be covered, and how much each is, `(N,)`; None: all the same."""
        return rows_of_stream(view, pool), None


def some_of(view: RoundView, budget: int) -> tuple[Stream, Tensor | None]:
    """What is to be covered, and the places in it of what can be picked; of a small pool all of it."""
    pool, centres = view.unlabelled, len(view.labelled) + budget
    measured = spaced(len(pool), max(MEASURED, PER_PICK * budget, PER_LABEL * centres))
    candidates = spaced(len(measured), max(PAIRS // len(measured), CANDIDATES * budget))
    covered = pool if len(measured) == len(pool) else pool.some(measured)
    return covered, None if len(candidates) == len(measured) else candidates
