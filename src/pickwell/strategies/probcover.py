"""A cover of the pool by balls of one radius."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from pickwell.acquisition.coverage import k_center
from pickwell.acquisition.grid import Grid, squared_distances
from pickwell.acquisition.k_means import k_means
from pickwell.acquisition.kernel_cover import SIDE, kernel_cover, spaced
from pickwell.acquisition.row_blocks import blocks
from pickwell.acquisition.streaming import check_budget
from pickwell.items import Pick
from pickwell.strategies.distances import rows_of_stream
from pickwell.strategies.maxherding import some_of
from pickwell.strategies.strategy import RoundView, Strategy, require

QUERIES = 1000
"""Images whose balls tell the radius."""


@dataclass(kw_only=True)
class ProbCover(Strategy):
    """Picks the images whose balls hold the most images that are in no labelled one's ball.

    Use when: there are a few labels a class at most; of the covers it hangs most on its one number, the radius.
    Source: Yehuda, Dekel, Hacohen and Weinshall, NeurIPS 2022.

    The radius is the largest at which a share of `purity` of the balls hold one cluster alone, of as many clusters by
    k-means as there are classes (before anything is labelled: as many as picks). It is worked out for each query anew.
    The score is the share of the pool that a pick's ball newly covers; where all is covered, those farthest from
    all labels and picks follow, with a score of 0. Of large pools a part stands for all, as for `maxherding`.
    """

    purity: float = 0.95

    def __post_init__(self) -> None:
        require("purity", self.purity, 0 < self.purity < 1, "above 0 and below 1")

    @property
    def needs_labels(self) -> bool:
        return False

    def select(self, view: RoundView, budget: int) -> list[Pick]:
        check_budget(budget, len(view.unlabelled))
        pool, candidates = some_of(view, budget)
        features, centres = rows_of_stream(view, pool), rows_of_stream(view, view.labelled)
        radius = pure_radius(features, _classes(view) or budget, self.purity, view.rng)
        places, gains = kernel_cover(features, centres, budget, bandwidth=radius, balls=True, candidates=candidates)
        covering = int((gains > 0).sum())
        if covering < budget:
            places = torch.cat((places[:covering], _farthest(features, centres, places[:covering], budget - covering)))
        chosen = zip(pool.ids()[places].tolist(), gains.tolist(), strict=True)
        return [Pick(item, rank, gain) for rank, (item, gain) in enumerate(chosen, start=1)]


def pure_radius(features: Tensor, clusters: int, purity: float, rng: torch.Generator) -> float:
    """The largest radius at which that share of the balls about the rows `(N, D)` hold rows of one cluster alone."""
    assigned, _ = k_means(features, clusters, rng)
    grid, asked = Grid.of(features), spaced(len(features), QUERIES)
    rows = grid.rows(features, asked)
    norms, nearest = rows.square().sum(1), torch.full((len(rows),), torch.inf, dtype=grid.kind)
    for part in blocks(len(features), SIDE):
        others = grid.rows(features, part)
        squares = squared_distances(rows, others, (norms, others.square().sum(1)))
        squares[assigned[asked][:, None] == assigned[part]] = torch.inf
        nearest = torch.minimum(nearest, squares.amin(1))
    # A ball is pure below the distance to the nearest row of another cluster.
    impure = nearest.sort().values
    limit = float(impure[min(int((1 - purity) * len(impure)), len(impure) - 1)])
    longest = 4.0 * float(norms.max())  # of one cluster alone: all is within it
    return max(math.sqrt(min(limit, longest)) * (1 - 1e-6), 0.5) * grid.step


def _classes(view: RoundView) -> int:
    """How many classes the model tells apart; 0 before there is one."""
    if not len(view.labelled):
        return 0
    _, images = next(iter(view.labelled.batches()))
    return view.learner.predict(images[:1]).shape[1]


def _farthest(features: Tensor, centres: Tensor, picked: Tensor, count: int) -> Tensor:
    """The places of `count` further rows, each the farthest from all centres and picks before it."""
    rest = torch.ones(len(features), dtype=torch.bool)
    rest[picked] = False
    places = rest.nonzero().squeeze(1)
    known = torch.cat((centres, features[picked])) if len(centres) else features[picked]
    return places[k_center(features[places], known if len(known) else None, count)[0]]
