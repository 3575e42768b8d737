"""Which items, labelled, would stand for the most of the pool: a greedy cover by a Gaussian kernel."""

import torch
from torch import Tensor

from pickwell.acquisition.coverage import Features, rows_of

REFRESHED = 32
"""How many outdated gains are brought up to date at once."""


def kernel_cover(
    features: Features,
    centres: Features,
    budget: int,
    *,
    bandwidth: float,
    weight: Tensor | None = None,
    reference: Tensor | None = None,
    block: int = 2048,
) -> tuple[Tensor, Tensor]:
    """Indices `(budget,)` that greedily cover the most, and the share of the pool that each newly covers.

    A centre at distance d covers an item by exp(-d^2 / (2 bandwidth^2)), and the best centre counts. To be covered are
    the items at the places `reference` (all unless given), each as much as its `weight` `(N,)` >= 0 says; `centres`
    `(M, D)` cover from the start. Unlike a k-center it is not drawn to outliers: they stand for nothing but themselves.
    Ties go to the lowest index; the same for any `block`. Greedy is within 1 - 1/e of the best cover (facility
    location; Nemhauser et al. 1978), lazily evaluated (Minoux 1978).
    """
    assert 1 <= budget <= len(features), f"{budget} of {len(features)}"
    cover = _Cover(features, centres, bandwidth, weight, reference, block)
    chosen = [cover.take() for _ in range(budget)]
    places, gains = zip(*chosen, strict=True)
    return torch.tensor(places), torch.tensor(gains)


def neighbourhood(
    features: Features, centres: Features, budget: int, *, queries: int = 500, block: int = 4096
) -> float:
    """The distance that a label must reach: the median one to the k-th neighbour, k = items / (centres + budget).

    So many items would fall to each centre if all had equal shares. Measured at up to `queries` evenly spaced items.
    """
    total = len(features) + len(centres)
    k = max(1, round(total / (len(centres) + budget)))
    distances = []
    for places in torch.split(spaced(len(features), queries), 16):
        asked = rows_of(features, places)
        row = torch.cat(
            [_distances(asked, _block(f, s, block)) for f in (features, centres) for s in _starts(f, block)], 1
        )
        # The nearest of all is the item itself.
        distances.append(row.kthvalue(min(k + 1, total), dim=1).values)
    return max(float(torch.cat(distances).median()), 1e-12)


def spaced(count: int, wanted: int) -> Tensor:
    """At most `wanted` places out of `count`, evenly spaced, in ascending order.

    >>> spaced(10, 4).tolist(), spaced(3, 9).tolist()
    ([0, 2, 5, 7], [0, 1, 2])
    """
    if count <= wanted:
        return torch.arange(count)
    return torch.arange(wanted) * count // wanted


class _Cover:
    """Upper bounds on every item's gain. Gains only ever fall, so an outdated one is still a bound."""

    def __init__(
        self,
        features: Features,
        centres: Features,
        bandwidth: float,
        weight: Tensor | None,
        reference: Tensor | None,
        block: int,
    ) -> None:
        self.features, self.bandwidth = features, bandwidth
        places = torch.arange(len(features)) if reference is None else reference
        self.wanted = rows_of(features, places)
        share = torch.ones(len(features)) if weight is None else weight.float()
        self.share = share[places] / share[places].sum().clamp_min(1e-30)
        self.covered = torch.zeros(len(places))
        for start in _starts(centres, block):
            self._cover_with(_block(centres, start, block))
        self.gains = torch.cat([self._gain(_block(features, start, block)) for start in _starts(features, block)])
        self.current = torch.zeros(len(features), dtype=torch.int64)
        self.taken = 0

    def take(self) -> tuple[int, float]:
        """Takes the item of the largest gain; returns its place and gain."""
        # A bound that is up to date and still the largest of all bounds is the largest gain.
        while self.current[best := int(self.gains.argmax())] < self.taken:
            self._refresh(best)
        gain = float(self.gains[best])
        self._cover_with(rows_of(self.features, slice(best, best + 1)))
        self.gains[best] = -torch.inf
        self.taken += 1
        return best, gain

    def _refresh(self, best: int) -> None:
        likely = self.gains.topk(min(REFRESHED, len(self.gains))).indices
        places = torch.unique(torch.cat((torch.tensor([best]), likely[self.current[likely] < self.taken])))
        places = places[self.gains[places] > -torch.inf]
        self.gains[places] = self._gain(rows_of(self.features, places))
        self.current[places] = self.taken

    def _kernel(self, rows: Tensor) -> Tensor:
        return torch.exp(_distances(rows, self.wanted).div_(self.bandwidth).square_().mul_(-0.5))

    def _gain(self, rows: Tensor) -> Tensor:
        """How much of the wanted items each row would newly cover, `(B,)`."""
        # Summed, not multiplied as a matrix: a gain must not depend on what else is in the block.
        return (self._kernel(rows) - self.covered).clamp_(min=0).mul_(self.share).sum(1)

    def _cover_with(self, rows: Tensor) -> None:
        torch.maximum(self.covered, self._kernel(rows).amax(0), out=self.covered)


def _distances(left: Tensor, right: Tensor) -> Tensor:
    found: Tensor = torch.cdist(left, right, compute_mode="donot_use_mm_for_euclid_dist")
    return found


def _starts(features: Features, block: int) -> range:
    return range(0, len(features), block)


def _block(features: Features, start: int, block: int) -> Tensor:
    return rows_of(features, slice(start, start + block))
