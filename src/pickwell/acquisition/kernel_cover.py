"""Which items, labelled, would stand for the most of the pool: a greedy cover by a Gaussian kernel, or by balls."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from pickwell.acquisition.coverage import Features
from pickwell.acquisition.grid import Grid, squared_distances
from pickwell.acquisition.row_blocks import blocks
from pickwell.acquisition.streaming import refuse_nan

REFRESHED = 16
"""How many outdated gains are brought up to date at once."""
SIDE = 1024
"""The kernel is worked out in squares of this side, which stay in a processor's cache."""
KEPT = 256 * 2**20
"""Bytes up to which the candidates' rows of the kernel are kept, so that each is worked out once."""


def kernel_cover(
    features: Features,
    centres: Features,
    budget: int,
    *,
    bandwidth: float,
    balls: bool = False,
    weight: Tensor | None = None,
    candidates: Tensor | None = None,
    kept: int = KEPT,
) -> tuple[Tensor, Tensor]:
    """Indices `(budget,)` out of `candidates` (all unless given) that greedily cover the most, and each one's gain.

    A centre at distance d covers an item by exp(-d^2 / (2 bandwidth^2)), and the best centre counts; with `balls` it
    covers all of what is not farther than the bandwidth, and nothing of what is. All items are to be covered, each as
    much as its `weight` `(N,)` >= 0 says; the gain is the share of all that a pick newly covers. `centres` `(M, D)`
    cover from the start. Unlike a k-center it is not drawn to outliers: they stand for nothing but themselves. Ties go
    to the lowest index. Greedy is within 1 - 1/e of the best cover (facility location; Nemhauser et al. 1978), lazily
    evaluated (Minoux 1978). Raises TrainingError where a feature or weight is not a number.

    Rows are rounded to a `Grid`, so that picks are the same for any number of threads and on any processor. Memory:
    the rows once more, a few numbers an item and `kept` bytes of the kernel. The time is that of items x candidates. To
    measure the cover on fewer items is as quick, and wrong where few are measured for each centre: then it is they that
    are picked, and the others are covered little better than by chance.
    """
    assert 1 <= budget <= len(features if candidates is None else candidates), f"{budget} of {len(features)}"
    cover = _Cover(features, centres, _Kernel(bandwidth, balls), weight, candidates, kept)
    places, gains = zip(*(cover.take() for _ in range(budget)), strict=True)
    return torch.tensor(places), torch.tensor(gains)


def kernel_bandwidth(features: Features, centres: Features, budget: int, *, queries: int = 500) -> float:
    """The distance that a label must reach: the median one to the k-th neighbour, k = items / (centres + budget).

    So many items would fall to each centre if all had equal shares. Measured at up to `queries` evenly spaced items.
    """
    grid, total = Grid.of(features, centres), len(features) + len(centres)
    k = max(1, round(total / (len(centres) + budget)))
    asked = grid.rows(features, spaced(len(features), queries))
    norms, found = asked.square().sum(1), []
    for table in (features, centres):
        for part in blocks(len(table), SIDE):
            others = grid.rows(table, part)
            found.append(squared_distances(asked, others, (norms, others.square().sum(1))))
    # The nearest of all is the item itself.
    nearest = torch.cat(found, 1).kthvalue(min(k + 1, total), dim=1).values
    return max(float(nearest.median().sqrt()) * grid.step, 1e-12)


def spaced(count: int, wanted: int) -> Tensor:
    """At most `wanted` places out of `count`, evenly spaced, in ascending order.

    >>> spaced(10, 4).tolist(), spaced(3, 9).tolist()
    ([0, 2, 5, 7], [0, 1, 2])
    """
    if count <= wanted:
        return torch.arange(count)
    return torch.arange(wanted) * count // wanted


class _Kernel(NamedTuple):
    """How much a centre covers of what is at a distance."""

    bandwidth: float
    balls: bool

    def of(self, squares: Tensor, step: float) -> Tensor:
        """What is covered at squared distances in squared steps, in their place."""
        if self.balls:
            return squares.le_((self.bandwidth / step) ** 2)
        return squares.mul_(-0.5 * (step / self.bandwidth) ** 2).exp_()


class _Cover:
    """Upper bounds on every candidate's gain. Gains only ever fall, so an outdated one is still a bound."""

    def __init__(
        self,
        features: Features,
        centres: Features,
        kernel: _Kernel,
        weight: Tensor | None,
        candidates: Tensor | None,
        kept: int,
    ) -> None:
        self.grid, count = Grid.of(features, centres), len(features)
        self.items = self.grid.table(features)
        self.norms = self.items.square().sum(1)
        self.candidates = torch.arange(count) if candidates is None else candidates
        self.shape = kernel
        share = torch.ones(count) if weight is None else weight.float().cpu()
        refuse_nan(torch.arange(count), share, "a weight")
        self.share = share.double() / share.double().sum().clamp_min(1e-30)
        self.covered = torch.zeros(count, dtype=self.grid.kind)
        for part in blocks(len(centres), SIDE):
            self._cover_with(self.grid.rows(centres, part))
        self.kernel: Tensor | None = None
        if self.items.element_size() * len(self.candidates) * count <= kept:
            self.kernel = torch.empty(len(self.candidates), count, dtype=self.grid.kind)
        self.gains = self._first(both=candidates is None)
        self.current = torch.zeros(len(self.candidates), dtype=torch.int64)
        self.taken = 0

    def take(self) -> tuple[int, float]:
        """Takes the candidate of the largest gain; returns its place among the items, and its gain."""
        # A bound that is up to date and still the largest of all bounds is the largest gain.
        while self.current[best := int(self.gains.argmax())] < self.taken:
            self._refresh(best)
        gain, place = float(self.gains[best]), int(self.candidates[best])
        if self.kernel is None:
            self._cover_with(self.items[place : place + 1])
        else:
            torch.maximum(self.covered, self.kernel[best], out=self.covered)
        self.gains[best] = -torch.inf
        self.taken += 1
        return place, gain

    def _first(self, *, both: bool) -> Tensor:
        """The gains of all candidates `(K,)`; of `both` sides of each pair at once, where all items are candidates."""
        total = torch.zeros(len(self.candidates), dtype=torch.float64)
        for part in blocks(len(self.candidates), SIDE):
            rows = self.items[part if both else self.candidates[part]]
            for items, kernel in self._blocks(rows, first=part.start if both else 0):
                if self.kernel is not None:
                    self.kernel[part, items] = kernel
                if both and items != part:
                    if self.kernel is not None:
                        self.kernel[items, part] = kernel.T
                    total[items] += self._gained(kernel.T, part)
                total[part] += self._gained(kernel, items)
        return total.float()

    def _refresh(self, best: int) -> None:
        likely = self.gains.topk(min(REFRESHED, len(self.gains))).indices
        places = torch.unique(torch.cat((torch.tensor([best]), likely[self.current[likely] < self.taken])))
        places = places[self.gains[places] > -torch.inf]
        total = torch.zeros(len(places), dtype=torch.float64)
        if self.kernel is not None:
            total += self._gained(self.kernel[places], slice(None))
        else:
            for items, kernel in self._blocks(self.items[self.candidates[places]]):
                total += self._gained(kernel, items)
        # In double precision, so that the order of a sum shows in digits that float32 has not.
        self.gains[places] = total.float()
        self.current[places] = self.taken

    def _blocks(self, rows: Tensor, first: int = 0) -> Iterator[tuple[slice, Tensor]]:
        """The kernel between some rows and the items from the `first` on, block by block."""
        norms = rows.square().sum(1)
        for items in blocks(len(self.items), SIDE):
            if items.start >= first:
                found = squared_distances(rows, self.items[items], (norms, self.norms[items]))
                yield items, self.shape.of(found, self.grid.step)

    def _gained(self, kernel: Tensor, items: slice) -> Tensor:
        """How much of these items each row of the kernel would newly cover."""
        # Summed, not multiplied as a matrix: a gain must not depend on what else is in the block.
        return (kernel - self.covered[items]).clamp_(min=0).mul(self.share[items]).sum(1)

    def _cover_with(self, rows: Tensor) -> None:
        for items, kernel in self._blocks(rows):
            self.covered[items] = torch.maximum(self.covered[items], kernel.amax(0))
