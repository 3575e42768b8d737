"""Spread-out draws: k-means++ over vectors that are products and never written out."""

import torch
from torch import Tensor

from pickwell.acquisition.coverage import Features, rows_of
from pickwell.acquisition.row_blocks import blocks
from pickwell.acquisition.streaming import in_blocks

ROUNDING = 1e-5
"""Relative size below which a squared distance is rounding: copies are at distance 0."""


def k_means_plus_plus(
    left: Features, right: Features, budget: int, generator: torch.Generator, *, block: int = 1024
) -> tuple[Tensor, Tensor]:
    """Indices `(budget,)` drawn by k-means++ over the outer products of `left` `(N, C)` and `right` `(N, D)`.

    The first is the one of the largest norm, as in the code of BADGE's authors; each further one is drawn with a
    probability proportional to its squared distance to the nearest index drawn. Where all that is left lies on them,
    the lowest index is next. Also returns the mean squared distance of all items to the nearest index, after each
    draw. <l_i r_i', l_j r_j'> = <l_i, l_j> <r_i, r_j>, so that one step costs C + D products an item, not C x D.
    """
    cloud = _Cloud(left, right, block)
    picks, potentials = [int(cloud.squares.argmax())], []
    while True:
        near = cloud.meet(picks[-1])
        potentials.append(float(near.mean()))
        if len(picks) == budget:
            return torch.tensor(picks), torch.tensor(potentials, dtype=torch.float64)
        picks.append(cloud.draw(float(torch.rand((), generator=generator, dtype=torch.float64))))


class _Cloud:
    """Each item's squared distance to the nearest item drawn."""

    def __init__(self, left: Features, right: Features, block: int) -> None:
        assert len(left) == len(right), f"{len(left)} and {len(right)}"
        self.sides, self.block = (left, right), block
        self.parts = list(blocks(len(left), block))
        self.squares = torch.cat([self._product(part, None) for part in self.parts])
        self.near = torch.full((len(left),), torch.inf, dtype=torch.float64)
        self.taken = torch.zeros(len(left), dtype=torch.bool)

    def _product(self, part: slice, centre: tuple[Tensor, Tensor] | None) -> Tensor:
        """The inner products of a part's items with the centre, or with themselves, float64."""
        rows = [rows_of(side, part) for side in self.sides]
        if centre is None:
            left, right = (row.square().sum(1).double() for row in rows)
        else:
            # In parts of one size: of a smaller one the last rows round otherwise, and copies would not tie.
            whole = [in_blocks(row, self.block)[0] for row in rows]
            left, right = ((row @ vector).double() for row, vector in zip(whole, centre, strict=True))
        return (left * right)[: len(rows[0])]

    def meet(self, index: int) -> Tensor:
        self.taken[index] = True
        one = slice(index, index + 1)
        centre = (rows_of(self.sides[0], one)[0], rows_of(self.sides[1], one)[0])
        for part in self.parts:
            scale = self.squares[part] + self.squares[index]
            far = scale - 2 * self._product(part, centre)
            far[far < ROUNDING * scale] = 0
            torch.minimum(self.near[part], far, out=self.near[part])
        self.near[index] = 0
        return self.near

    def draw(self, chance: float) -> int:
        """The item at `chance`, in [0, 1), of the way through all squared distances laid end to end."""
        heap = self.near.cumsum(0)
        if heap[-1] <= 0:
            return int((~self.taken).int().argmax())
        found = int(torch.searchsorted(heap, chance * heap[-1], right=True))
        # chance * total may round up to the total: then the last item that weighs anything.
        return found if found < len(heap) else int(self.near.nonzero()[-1])
