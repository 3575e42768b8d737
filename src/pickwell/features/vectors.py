"""Vectors in place of a pool's images, as heads and strategies look at them: standardised."""

from collections.abc import Iterator, Sequence
from typing import Self

import numpy as np
import torch
from torch import Tensor

from pickwell.acquisition.row_blocks import blocks
from pickwell.acquisition.running_moments import Moments
from pickwell.data.images import checked
from pickwell.features.table import FeatureTable, Rows
from pickwell.files import replacing

ROWS = 1024
"""Vectors that are handed out at once."""
STILL = 1e-6
"""A number whose deviation is no larger says nothing, and becomes zero."""


class Vectors:
    """Vectors `(N, D)`, float32, where heads and strategies expect images: read from files as they are needed.

    Each number is shifted by `mean` and divided by `deviation`, `(D,)`, where they are given. In memory is what is
    handed out, 1,024 rows at most; what the operating system keeps of the files is its own to take back.
    """

    def __init__(self, shards: Sequence[Rows], mean: Tensor | None = None, deviation: Tensor | None = None) -> None:
        width = shards[0].shape[1]
        self.shards = shards
        self.mean = torch.zeros(width) if mean is None else mean
        self.scale = torch.ones(width) if deviation is None else torch.where(deviation > STILL, deviation, 1.0)
        self._ends = np.cumsum([len(shard) for shard in shards])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def get(self, ids: Tensor) -> Tensor:
        """The vectors `(B, D)` of the items `(B,)`; PoolError if there is none of that id."""
        places = checked(ids, len(self)).numpy()
        found = np.empty((len(places), self.shards[0].shape[1]), np.float32)
        of = np.searchsorted(self._ends, places, side="right")
        for number, shard in enumerate(self.shards):
            mine = of == number
            found[mine] = shard[places[mine] - (self._ends[number] - len(shard))]
        return torch.from_numpy(found).sub_(self.mean).div_(self.scale)

    def batches(self, ids: Tensor, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Ids and vectors, `batch_size` at a time in the order of `ids`."""
        return ((part, self.get(part)) for part in torch.split(ids.cpu(), batch_size) if len(part))

    def chunks(self, ids: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Ids and vectors, as many as are handed out at once."""
        return self.batches(ids, ROWS)

    def whole(self, side: int) -> Self:
        """The vectors themselves, whatever the size of an image."""
        return self


def moments(table: FeatureTable) -> tuple[Tensor, Tensor]:
    """The mean and the deviation `(D,)` of a table's numbers, float32, holes left out: worked out once a length."""
    path = table.folder / f"moments-{len(table)}.npy"
    if not path.exists():
        found = Moments()
        for shard in table.shards():
            for part in blocks(len(shard)):
                rows = np.array(shard[part])
                found.update(torch.from_numpy(rows[~np.isnan(rows[:, 0])]))
        with replacing(path, shared=True) as new, new.open("wb") as file:
            np.save(file, torch.stack((found.mean, found.variance.sqrt())).float().numpy())
    mean, deviation = torch.from_numpy(np.load(path, allow_pickle=False))
    return mean, deviation


def vectors_of(table: FeatureTable, like: FeatureTable | None = None) -> Vectors:
    """A table's vectors, standardised by the moments of the table `like`: a test set's by the pool's."""
    return Vectors(table.shards(), *moments(like or table))
