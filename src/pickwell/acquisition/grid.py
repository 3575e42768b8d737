"""Distances that are the same on every machine: rows on a grid of whole numbers, whose products no order rounds."""

from dataclasses import dataclass

import torch
from torch import Tensor

from pickwell.acquisition.coverage import Features, rows_of
from pickwell.acquisition.row_blocks import blocks
from pickwell.acquisition.streaming import refuse_nan

EXACT = {torch.float32: 2**12, torch.float64: 2**26}
"""The longest row in steps: whole numbers up to its square are all numbers of that type."""
ALIKE = 4.0
"""Where the longest row is so many times as long as the root of the mean square, single precision would be coarse."""
FEW = 1024
"""Of so few rows double precision costs no time that shows."""


@dataclass(frozen=True)
class Grid:
    """Rounds rows to multiples of a `step`, so that products of any two are exact.

    Every sum of some of their products is a whole number below 2^24, or of double precision 2^52, by Cauchy and
    Schwarz, so that a distance is the same for any block of rows, number of threads and processor, and copies are at
    none. What is rounded away is at most half a step in each number. Of more than 1,024 rows that are all about as
    long, as those of length 1, a step is their length / 4,000 or so, which changes squared distances by 3e-4 (standard
    deviation); of others it is the length of the longest row / 67 million.
    """

    step: float
    kind: torch.dtype

    @classmethod
    def of(cls, *tables: Features) -> "Grid":
        """The finest grid for the rows of these tables; TrainingError where one holds what is no number."""
        longest, squares, count, width = 0.0, 0.0, 0, 1
        for table in tables:
            for part in blocks(len(table)):
                rows = rows_of(table, part)
                refuse_nan(torch.arange(part.start, part.stop), rows, "a feature")
                norms = rows.square().sum(1, dtype=torch.float64)
                longest, width = max(longest, float(norms.max())), rows.shape[1]
                squares, count = squares + float(norms.sum()), count + len(rows)
        alike = longest * count <= ALIKE**2 * squares
        kind = torch.float32 if alike and count > FEW else torch.float64
        # Rounding lengthens a row by half the root of its numbers at most.
        return cls(longest**0.5 / (EXACT[kind] - 1 - 0.5 * width**0.5) or 1.0, kind)

    def rows(self, features: Features, which: Tensor | slice) -> Tensor:
        """Some rows `(R, D)` in steps: whole numbers, of the grid's kind."""
        return (rows_of(features, which).to(self.kind) / self.step).round_()

    def table(self, features: Features) -> Tensor:
        """All rows, in memory of their own, block by block."""
        found = torch.empty(features.shape, dtype=self.kind)
        for part in blocks(len(features)):
            found[part] = self.rows(features, part)
        return found


def squared_distances(left: Tensor, right: Tensor, norms: tuple[Tensor, Tensor], out: Tensor | None = None) -> Tensor:
    """The squared distances `(L, R)` of rows on a grid, in squared steps; `norms` are their squared lengths."""
    # Not by addmm: where it adds is up to the kernel, and these sums round.
    products = torch.mm(left, right.T, out=out)
    return products.mul_(-2).add_(norms[0][:, None] + norms[1])
