"""Distances that are the same on every machine: rows on a grid of whole numbers, whose products no order rounds."""

from dataclasses import dataclass

import torch
from torch import Tensor

from pickwell.acquisition.coverage import Features, rows_of
from pickwell.acquisition.row_blocks import blocks
from pickwell.acquisition.streaming import refuse_nan

EXACT = 2**12
"""Whole numbers up to its square are float32 numbers: so long a row's products, summed in any order, are exact."""


@dataclass(frozen=True)
class Grid:
    """Rounds rows to multiples of a `step`, so that products of any two are exact in float32.

    Every sum of some of their products is a whole number below 2^24, by Cauchy and Schwarz, so that a distance is the
    same for any block of rows, number of threads and processor, and copies are at none. What is rounded away is at most
    half a step in each number, the length of the longest row / 4,000 or so.
    """

    step: float

    @classmethod
    def of(cls, *tables: Features) -> "Grid":
        """The finest grid for the rows of these tables; TrainingError where one holds what is no number."""
        longest, width = 0.0, 1
        for table in tables:
            for part in blocks(len(table)):
                rows = rows_of(table, part)
                refuse_nan(torch.arange(part.start, part.stop), rows, "a feature")
                longest, width = max(longest, float(rows.norm(dim=1).max())), rows.shape[1]
        # Rounding lengthens a row by half the root of its numbers at most.
        return cls(longest / (EXACT - 1 - 0.5 * width**0.5) or 1.0)

    def rows(self, features: Features, which: Tensor | slice) -> Tensor:
        """Some rows `(R, D)` in steps: whole numbers, as float32."""
        return rows_of(features, which).div_(self.step).round_()

    def table(self, features: Features, places: Tensor) -> Tensor:
        """The rows at `places` `(R,)`, in memory of their own, block by block."""
        found = torch.empty(len(places), features.shape[1])
        for part in blocks(len(places)):
            found[part] = self.rows(features, places[part])
        return found


def squared_distances(left: Tensor, right: Tensor, norms: tuple[Tensor, Tensor], out: Tensor | None = None) -> Tensor:
    """The squared distances `(L, R)` of rows on a grid, in squared steps; `norms` are their squared lengths."""
    # Not by addmm: where it adds is up to the kernel, and these sums round.
    products = torch.mm(left, right.T, out=out)
    return products.mul_(-2).add_(norms[0][:, None] + norms[1])
