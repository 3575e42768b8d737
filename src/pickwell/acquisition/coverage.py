"""Which items cover the pool: greedy covers, exact, over features that may lie on disk."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import normalize

from pickwell.acquisition.row_blocks import BLOCK, blocks

Features = Tensor | npt.NDArray[np.floating]
"""`(N, D)`: a tensor, or an array that may be memory-mapped; read block by block, as float32."""
CANDIDATES = 2048
"""How many of the farthest items are kept at hand: rows `(2048, D)` in memory."""
CENTRES_AT_ONCE = 512
PAIRS_AT_ONCE = 4096
"""These bound the memory of one product, and of one exact measuring."""
PICKED = -1.0
"""In place of a distance, which is never negative: this one is picked."""
TOGETHER = 32
"""How many candidates' gains are worked out in one product."""


def k_center(features: Features, centres: Features | None, budget: int, *, block: int = BLOCK) -> tuple[Tensor, Tensor]:
    """Indices `(budget,)` that greedily minimise the largest distance to a centre, and that distance at each pick.

    Every step picks the item whose Euclidean distance to the nearest of `centres` `(M, D)` and of the picks so far is
    largest; ties go to the lowest index. Without centres the first pick is the first item, at distance infinity. The
    same for any `block`; memory is that of a few blocks, of 2,048 rows and of a few numbers an item (Gonzalez 1985;
    Sener and Savarese 2018).
    """
    assert 1 <= budget <= len(features), f"{budget} of {len(features)}"
    cover = _Cover(features, block)
    if centres is not None:
        for part in blocks(len(centres), block):
            cover.meet(rows_of(centres, part))
    picks: list[int] = []
    gaps: list[float] = []
    while len(picks) < budget:
        for index, gap in cover.farthest(budget - len(picks)):
            picks.append(index)
            gaps.append(gap)
    return torch.tensor(picks), torch.tensor(gaps)


class _Cover:
    """Each item's distance to its nearest centre, and the greedy steps.

    A centre can only lower a distance. So many steps can be taken among the items that were farthest, until the best
    of them is no better than all others were; only then do the others meet the new centres, all in one product.
    """

    def __init__(self, features: Features, block: int) -> None:
        self.features, self.block = features, block
        self.near = torch.full((len(features),), torch.inf)
        self.started = False
        # Distances are screened around a middle: far from zero their products would say little.
        self.middle = rows_of(features, slice(0, block)).mean(0)

    def meet(self, centres: Tensor) -> None:
        """Lowers the distances of all items to those of the new centres."""
        for part in blocks(len(self.near) if len(centres) else 0, self.block):
            # A distance of 0 cannot fall, and those picked are done with.
            if (self.near[part] > 0).any():
                lower(self.near[part], rows_of(self.features, part), centres, self.middle)
                self.started = True

    def farthest(self, most: int) -> list[tuple[int, float]]:
        """The next picks, at least one and at most `most`, with their gaps."""
        if not self.started:
            found = [(0, torch.inf)]
        else:
            found = list(self._among(most)) or [(int(self.near.argmax()), float(self.near.max()))]
        indices = torch.tensor([index for index, _ in found])
        self.near[indices] = PICKED
        self.started = True
        if most > len(found):
            self.meet(rows_of(self.features, indices))
        return found

    def _among(self, most: int) -> Iterator[tuple[int, float]]:
        """The next picks as long as they are surely the farthest of all; perhaps none."""
        floor = float(self.near.topk(min(CANDIDATES, len(self.near))).values[-1])
        # In ascending order, so that ties go to the lowest index; what ties with the floor is left to its turn.
        places = (self.near > floor).nonzero().squeeze(1)
        rows, near = rows_of(self.features, places), self.near[places]
        for _ in range(min(most, len(places))):
            best = int(near.argmax())
            if not near[best] > floor:
                return
            yield int(places[best]), float(near[best])
            near[best] = PICKED
            lower(near, rows, rows[best : best + 1], self.middle)


def lower(near: Tensor, rows: Tensor, centres: Tensor, middle: Tensor) -> None:
    """Lowers `near` `(R,)` in place to the Euclidean distance of `rows` `(R, D)` to the nearest of `centres` `(M, D)`.

    Products only screen: a pair that could lower a distance, by a bound on their rounding, is measured by its
    differences. So a distance depends on nothing but its two rows.
    """
    shifted = rows - middle
    squares = shifted.square().sum(1)
    for part in torch.split(centres, CENTRES_AT_ONCE):
        moved = part - middle
        norms = moved.square().sum(1)
        screen = torch.addmm(norms, shifted, moved.T, alpha=-2).add_(squares[:, None])
        # The rounding of D products grows with D and with the norms; twice as much is allowed for.
        slack = (squares + norms.max()) * (2 * (rows.shape[1] + 8) * torch.finfo(torch.float32).eps)
        limit = torch.minimum(near.square(), screen.amin(1) + slack) + slack
        hopeful = (screen <= limit[:, None]).logical_and_((near > 0)[:, None])
        for pairs in torch.split(hopeful.nonzero(), PAIRS_AT_ONCE):
            mine, theirs = pairs.unbind(1)
            exact = (rows[mine].double() - part[theirs]).square_().sum(1).sqrt_()
            near.scatter_reduce_(0, mine, exact.float(), "amin")


def rows_of(features: Features, which: slice | Tensor) -> Tensor:
    """Some rows as float32 in memory of their own (a read-only memory map cannot become a tensor)."""
    if isinstance(features, Tensor):
        return features[which].float()
    return torch.from_numpy(np.array(features[which if isinstance(which, slice) else which.numpy()], dtype=np.float32))


def maximum_cover(features: Features, candidates: Tensor, budget: int, *, block: int = BLOCK) -> tuple[Tensor, Tensor]:
    """Indices `(budget,)` out of `candidates` `(K,)` that greedily make all items as similar as can be to a pick.

    Each item counts its cosine similarity to the most similar pick, -1 before there is one; every step adds the most
    to their mean, and what it adds is returned too. Ties go to the lowest index. A gain can only shrink, so only those
    are worked out anew that could still be the largest (Minoux 1978); memory: the candidates' rows and a few blocks.
    """
    assert 1 <= budget <= len(candidates), f"{budget} of {len(candidates)}"
    candidates = candidates.sort().values
    similarity = _Similarity(features, rows_of(features, candidates), block)
    gains, fresh = similarity.gains(torch.arange(len(candidates))), torch.ones(len(candidates), dtype=torch.bool)
    picks: list[int] = []
    added: list[float] = []
    while len(picks) < budget:
        best = int(gains.argmax())
        if fresh[best]:
            picks.append(best)
            added.append(float(gains[best]) / len(features))
            similarity.take(best)
            gains[best] = -torch.inf
            fresh = gains == -torch.inf
            continue
        stale = gains.masked_fill(fresh, -torch.inf)
        again = stale.topk(min(TOGETHER, int((~fresh).sum()))).indices
        # topk may have found equals of the best one in its place.
        again[-1] = best if best not in again else again[-1]
        gains[again], fresh[again] = similarity.gains(again), True
    return candidates[picks], torch.tensor(added, dtype=torch.float64)


class _Similarity:
    """How similar each item is to the most similar pick, and what a candidate would add to the sum."""

    def __init__(self, features: Features, candidates: Tensor, block: int) -> None:
        self.features, self.block = features, block
        self.candidates = normalize(candidates)
        self.best = torch.full((len(features),), -1.0)

    def gains(self, which: Tensor) -> Tensor:
        """The gains of some candidates, summed in float64."""
        total = torch.zeros(len(which), dtype=torch.float64)
        for some in torch.split(torch.arange(len(which)), CENTRES_AT_ONCE):
            for part, similarity in self._to(which[some]):
                total[some] += (similarity - self.best[part][:, None]).clamp_(min=0).double().sum(0)
        return total.float()  # the sum of one column alone rounds otherwise, and copies would not tie

    def take(self, index: int) -> None:
        for part, similarity in self._to(torch.tensor([index])):
            torch.maximum(self.best[part], similarity[:, 0], out=self.best[part])

    def _to(self, which: Tensor) -> Iterator[tuple[slice, Tensor]]:
        """The similarities of all items to some candidates, part by part."""
        chosen = self.candidates[which].double().T
        for part in blocks(len(self.best), self.block):
            rows = normalize(rows_of(self.features, part))
            # Products of another shape round differently; in double precision that is gone with the last digits.
            yield part, (rows.double() @ chosen).float()
