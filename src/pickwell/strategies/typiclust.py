"""The most typical image of each cluster that has no label."""

from dataclasses import dataclass

import torch
from torch import Tensor

from pickwell.acquisition.coverage import Features, rows_of
from pickwell.acquisition.grid import Grid, squared_distances
from pickwell.acquisition.k_means import k_means
from pickwell.acquisition.kernel_cover import spaced
from pickwell.acquisition.streaming import check_budget
from pickwell.items import Pick
from pickwell.strategies.distances import rows_of_stream
from pickwell.strategies.strategy import RoundView, Strategy, require

SMALLEST = 5
"""Clusters of fewer images are passed over while there are others: they hold outliers."""
AMONG = 4096
"""Images of a cluster among which neighbours are looked for, evenly spaced in a larger one."""


@dataclass(kw_only=True)
class TypiClust(Strategy):
    """Picks the most typical image of the largest cluster without a label, again and again.

    Use when: there are a few labels a class at most, on an encoder's features; it asks nothing of the model.
    Source: Hacohen, Dekel and Weinshall, ICML 2022.

    Clusters of all images by k-means, as many as labels and picks together, at most `clusters`. Typical is who has the
    smallest mean distance to its `neighbours` nearest in the cluster, half of the cluster at most. Differs from the
    source: picks count as labels at once, so that all of a budget is found however small clusters are. A pick's score
    is minus the labels in its cluster, plus the cluster's share of all images.
    """

    clusters: int = 500
    neighbours: int = 20

    def __post_init__(self) -> None:
        for name in ("clusters", "neighbours"):
            require(name, getattr(self, name), getattr(self, name) >= 1, "a whole number of at least 1")

    @property
    def needs_labels(self) -> bool:
        return False

    def select(self, view: RoundView, budget: int) -> list[Pick]:
        check_budget(budget, len(view.unlabelled))
        free, known = rows_of_stream(view, view.unlabelled), rows_of_stream(view, view.labelled)
        rows = torch.cat((free, known)) if len(known) else free
        assigned, _ = k_means(rows, min(len(known) + budget, self.clusters), view.rng)
        sizes = torch.bincount(assigned)
        taken = torch.bincount(assigned[len(free) :], minlength=len(sizes))
        mine = assigned[: len(free)]
        left = torch.bincount(mine, minlength=len(sizes))
        orders: dict[int, list[int]] = {}
        picks: list[Pick] = []
        for rank in range(1, budget + 1):
            # Fewest labels, then most images; small ones last, and those with nothing left never.
            value = sizes.double() / len(rows) - taken
            value = value.masked_fill(sizes < SMALLEST, -1.0 * len(rows)) - taken * (sizes < SMALLEST)
            cluster = int(value.masked_fill(left == 0, -torch.inf).argmax())
            if cluster not in orders:
                members = (mine == cluster).nonzero().squeeze(1)
                orders[cluster] = members[_typical(free, members, self.neighbours)].tolist()[::-1]
            place = orders[cluster].pop()
            picks.append(Pick(int(view.unlabelled.ids()[place]), rank, float(value[cluster])))
            taken[cluster] += 1
            left[cluster] -= 1
        return picks


def _typical(features: Features, members: Tensor, neighbours: int) -> Tensor:
    """The places in `members`, the most typical first, the lowest of equals."""
    grid = Grid.of(rows_of(features, members))
    rows = grid.rows(features, members)
    some = spaced(len(members), AMONG)
    others, count = rows[some], max(1, min(neighbours, len(some) // 2))
    norms = others.square().sum(1)
    found = []
    for part in torch.split(torch.arange(len(rows)), AMONG):
        squares = squared_distances(rows[part], others, (rows[part].square().sum(1), norms))
        # One more, because the nearest of all is the image itself.
        nearest = squares.topk(min(count + 1, len(some)), largest=False).values
        found.append(nearest.double().sqrt_().mean(1).float())
    return torch.cat(found).argsort(stable=True)
