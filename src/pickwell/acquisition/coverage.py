"""Which items cover the pool: greedy covers, exact, over features that may lie on disk."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Features = Tensor | npt.NDArray[np.floating]
"""`(N, D)`: a tensor, or an array that may be memory-mapped; read block by block, as float32."""


def k_center(
    features: Features, centres: Features | None, budget: int, *, weight: Tensor | None = None, block: int = 2048
) -> tuple[Tensor, Tensor]:
    """Indices `(budget,)` that greedily minimise the largest distance to a centre, and that distance at each pick.

    Every step picks the item whose Euclidean distance to the nearest of `centres` `(M, D)` and of the picks so far is
    largest, times its `weight` `(N,)` >= 0 where given; ties go to the lowest index. Without centres the first pick is
    the heaviest item, at distance infinity. The same for any `block` (Gonzalez 1985; Sener and Savarese 2018).
    """
    assert 1 <= budget <= len(features), f"{budget} of {len(features)}"
    blocks = _Blocks(features, weight, block)
    for start in range(0, 0 if centres is None else len(centres), block):
        assert centres is not None
        blocks.add(_rows(centres, start, start + block))
    picks, gaps = [], []
    for _ in range(budget):
        index, gap = blocks.farthest()
        blocks.add(_rows(features, index, index + 1))
        blocks.value[index] = -torch.inf
        picks.append(index)
        gaps.append(gap)
    return torch.tensor(picks), torch.tensor(gaps)


class _Blocks:
    """Each item's weighted distance to its nearest centre, brought up to date only where it could matter.

    A centre can only lower a distance, so a block whose last known maximum is below the best found elsewhere need not
    be looked at; when it is, it meets all its new centres in one product.
    """

    def __init__(self, features: Features, weight: Tensor | None, block: int) -> None:
        self.features, self.weight, self.block = features, weight, block
        self.value = torch.full((len(features),), torch.inf)
        self.centres: list[Tensor] = []
        count = -(-len(features) // block)
        self.met = [0] * count
        self.bound = torch.full((count,), torch.inf)

    def add(self, centres: Tensor) -> None:
        self.centres.append(centres)

    def farthest(self) -> tuple[int, float]:
        """The index of the largest value, the lowest one among equals, and that value."""
        if not self.centres:
            return (0 if self.weight is None else int(self.weight.argmax())), torch.inf
        best, index = -torch.inf, -1
        for number in self.bound.argsort(descending=True).tolist():
            # An equal bound must be looked at: the tie may be at a lower index there.
            if self.bound[number] < best:
                break
            self._refresh(number)
            found = number * self.block + int(self.value[number * self.block : (number + 1) * self.block].argmax())
            gap = float(self.value[found])
            if gap > best or (gap == best and found < index) or index < 0:
                best, index = gap, found
        return index, best

    def _refresh(self, number: int) -> None:
        start, stop = number * self.block, (number + 1) * self.block
        value = self.value[start:stop]
        if self.met[number] < len(self.centres):
            rows = _rows(self.features, start, stop)
            new = torch.cat(self.centres[self.met[number] :])
            for part in torch.split(new, self.block):
                # Differences, not products: a distance must not depend on what else is in the block.
                near = torch.cdist(rows, part, compute_mode="donot_use_mm_for_euclid_dist").amin(1)
                torch.minimum(value, near if self.weight is None else near * self.weight[start:stop], out=value)
            self.met[number] = len(self.centres)
        self.bound[number] = value.max()


def _rows(features: Features, start: int, stop: int) -> Tensor:
    part = features[start:stop]
    # A copy, because a read-only memory map cannot become a tensor.
    return part.float() if isinstance(part, Tensor) else torch.from_numpy(np.array(part, dtype=np.float32))
