"""The kernel cover as it was before products: what `benchmarks.few_labels` compares with."""

import numpy as np
import torch
from torch import Tensor

from pickwell.acquisition.coverage import Features, rows_of
from pickwell.acquisition.row_blocks import blocks
from pickwell.acquisition.streaming import refuse_nan

REFRESHED = 8
"""How many outdated gains are brought up to date at once."""
AT_ONCE = 2**22
"""How many values of the kernel are worked out at once, but for those of a single row: they bound the memory."""


def kernel_cover(
    features: Features,
    centres: Features,
    budget: int,
    *,
    bandwidth: float,
    weight: Tensor | None = None,
    candidates: Tensor | None = None,
    at_once: int = AT_ONCE,
) -> tuple[Tensor, Tensor]:
    """Indices `(budget,)` out of `candidates` (all unless given) that greedily cover the most, and each one's gain.

    A centre at distance d covers an item by exp(-d^2 / (2 bandwidth^2)), and the best centre counts. All items are to
    be covered, each as much as its `weight` `(N,)` >= 0 says; the gain is the share of all that a pick newly covers.
    `centres` `(M, D)` cover from the start. Unlike a k-center it is not drawn to outliers: they stand for nothing but
    themselves. Ties go to the lowest index; the same for any `at_once`, which bounds the memory beside a few numbers an
    item. Greedy is within 1 - 1/e of the best cover (facility location; Nemhauser et al. 1978), lazily evaluated
    (Minoux 1978). Raises TrainingError where a feature or weight is not a number.

    The time is that of items x candidates. To measure the cover on fewer items would be as quick, and wrong: where few
    are measured for each centre, it is they that are picked, and the others are covered little better than by chance.
    """
    candidates = torch.arange(len(features)) if candidates is None else candidates
    assert 1 <= budget <= len(candidates), f"{budget} of {len(candidates)}"
    cover = _Cover(features, centres, bandwidth, weight, candidates, at_once)
    chosen = [cover.take() for _ in range(budget)]
    places, gains = zip(*chosen, strict=True)
    return torch.tensor(places), torch.tensor(gains)


class _Cover:
    """Upper bounds on every item's gain. Gains only ever fall, so an outdated one is still a bound."""

    def __init__(
        self,
        features: Features,
        centres: Features,
        bandwidth: float,
        weight: Tensor | None,
        candidates: Tensor,
        at_once: int,
    ) -> None:
        self.bandwidth, self.candidates = bandwidth, candidates
        self.items = _in_place(features)
        share = torch.ones(len(features)) if weight is None else weight.float()
        self.share = (share / share.sum().clamp_min(1e-30)).to(self.items.device)
        self.covered = torch.zeros_like(self.share)
        self.block = max(1, at_once // len(features))
        for part in blocks(len(centres), self.block):
            self._cover_with(rows_of(centres, part).to(self.items.device))
        self.gains = torch.cat([self._gain(part) for part in torch.split(candidates, self.block)])
        refuse_nan(candidates, self.gains, "what is gained by the features or weights")
        self.current = torch.zeros(len(candidates), dtype=torch.int64)
        self.taken = 0

    def take(self) -> tuple[int, float]:
        """Takes the candidate of the largest gain; returns its place among the items, and its gain."""
        # A bound that is up to date and still the largest of all bounds is the largest gain.
        while self.current[best := int(self.gains.argmax())] < self.taken:
            self._refresh(best)
        gain = float(self.gains[best])
        place = int(self.candidates[best])
        self._cover_with(self.items[place : place + 1])
        self.gains[best] = -torch.inf
        self.taken += 1
        return place, gain

    def _refresh(self, best: int) -> None:
        likely = self.gains.topk(min(REFRESHED, self.block, len(self.gains))).indices
        places = torch.unique(torch.cat((torch.tensor([best]), likely[self.current[likely] < self.taken])))
        places = places[self.gains[places] > -torch.inf]
        self.gains[places] = self._gain(self.candidates[places])
        self.current[places] = self.taken

    def _kernel(self, rows: Tensor) -> Tensor:
        return torch.exp(_distances(rows, self.items).div_(self.bandwidth).square_().mul_(-0.5))

    def _gain(self, places: Tensor) -> Tensor:
        """How much of all items each of these would newly cover, `(B,)`."""
        # Summed, not multiplied as a matrix: a gain must not depend on what else is in the block. The sum of one row
        # alone is shared out among threads: in double precision that shows in digits that float32 has not.
        kernel = self._kernel(self.items[places])
        return kernel.sub_(self.covered).clamp_(min=0).mul_(self.share).sum(1, dtype=torch.float64).float().cpu()

    def _cover_with(self, rows: Tensor) -> None:
        torch.maximum(self.covered, self._kernel(rows).amax(0), out=self.covered)


def _in_place(features: Features) -> Tensor:
    """The features as a tensor; a mapped table is not copied: each block of it is read when it is needed."""
    if isinstance(features, Tensor):
        return features.float()
    rows = np.asarray(features, dtype=np.float32)
    return torch.from_numpy(rows if rows.flags.writeable else rows.copy())


def _distances(left: Tensor, right: Tensor) -> Tensor:
    found: Tensor = torch.cdist(left, right, compute_mode="donot_use_mm_for_euclid_dist")
    return found
