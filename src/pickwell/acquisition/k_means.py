"""Clusters of rows, the same on every machine."""

import torch
from torch import Tensor

from pickwell.acquisition.coverage import Features
from pickwell.acquisition.grid import Grid, squared_distances
from pickwell.acquisition.row_blocks import blocks

ITERATIONS = 25
"""Lloyd's steps, at most; the last ones move few rows."""
SEEDING = 16
"""Rows for each cluster that the first centres are drawn from, by k-means++."""
LEAST = 8192
"""The same, at least."""


def k_means(features: Features, clusters: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """The cluster `(N,)` of each row of `(N, D)`, and its squared distance to the centre, `(N,)`, on a `Grid`.

    k-means++ on a sample, then Lloyd's steps over all rows (Arthur and Vassilvitskii 2007). At most `clusters` of them
    hold rows: copies are in one. Memory: the rows once, and a block of distances.
    """
    grid = Grid.of(features)
    rows = grid.table(features)
    norms = rows.square().sum(1)
    centres = _first(rows, norms, min(clusters, len(rows)), rng)
    assigned = torch.full((len(rows),), -1)
    for _ in range(ITERATIONS):
        before = assigned
        assigned, distances = _nearest(rows, norms, centres)
        if torch.equal(assigned, before):
            break
        # Sums of whole numbers: in double precision the same in any order. Who holds nothing stays where it is.
        counts = torch.bincount(assigned, minlength=len(centres))
        sums = torch.zeros(centres.shape, dtype=torch.float64)
        for part in blocks(len(rows), 4096):
            sums.index_add_(0, assigned[part], rows[part].double())
        centres = torch.where(counts[:, None] > 0, (sums / counts.clamp_min(1)[:, None]).round().to(grid.kind), centres)
    return assigned, distances * grid.step**2


def nearest_of_each(assigned: Tensor, distances: Tensor, budget: int) -> tuple[Tensor, Tensor]:
    """Places `(budget,)`: the nearest to each centre, the largest clusters first; then the second nearest, and so on.

    Also returns scores that fall along them: minus how many of its cluster come before a row, plus the cluster's share
    of all. Ties go to the lowest place.

    >>> nearest_of_each(torch.tensor([0, 1, 1]), torch.tensor([0.0, 2.0, 1.0]), 3)[0].tolist()
    [2, 0, 1]
    """
    sizes = torch.bincount(assigned)[assigned]
    order = distances.argsort(stable=True)
    order = order[assigned[order].argsort(stable=True)]
    first = torch.searchsorted(assigned[order].contiguous(), assigned[order].contiguous())
    before = torch.empty_like(assigned)
    before[order] = torch.arange(len(order)) - first
    scores = sizes.double() / len(assigned) - before
    chosen = scores.argsort(descending=True, stable=True)[:budget]
    return chosen, scores[chosen]


def _first(rows: Tensor, norms: Tensor, clusters: int, rng: torch.Generator) -> Tensor:
    """Centres `(K, D)`: rows drawn one after the other by their squared distance to those drawn."""
    sample = torch.randperm(len(rows), generator=rng)[: max(SEEDING * clusters, LEAST)].sort().values
    some, lengths = rows[sample], norms[sample]
    near = torch.full((len(some),), torch.inf, dtype=rows.dtype)
    chosen = [int(torch.randint(len(some), (), generator=rng))]
    while len(chosen) < clusters:
        at = chosen[-1]
        found = squared_distances(some, some[at : at + 1], (lengths, lengths[at : at + 1]))[:, 0]
        near = torch.minimum(near, found)
        heap = near.double().cumsum(0)
        if not heap[-1]:  # copies are left, and no more centres
            break
        chance = float(torch.rand((), generator=rng, dtype=torch.float64)) * float(heap[-1])
        chosen.append(min(int(torch.searchsorted(heap, chance, right=True)), len(some) - 1))
    return some[chosen]


def _nearest(rows: Tensor, norms: Tensor, centres: Tensor) -> tuple[Tensor, Tensor]:
    """Each row's nearest centre, the lowest of equals, and the squared distance to it."""
    lengths = centres.square().sum(1)
    found = [squared_distances(rows[part], centres, (norms[part], lengths)).min(1) for part in blocks(len(rows), 4096)]
    return torch.cat([f.indices for f in found]), torch.cat([f.values for f in found])
