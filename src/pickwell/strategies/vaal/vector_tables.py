"""Rows that belong to items: latents or features of a pool."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pickwell.acquisition.features import allocate, gathered
from pickwell.acquisition.row_blocks import blocks
from pickwell.acquisition.running_moments import Moments
from pickwell.acquisition.streaming import in_even_chunks
from pickwell.learner.item_stream import Stream

ROWS = 256

Rows = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Table:
    """A `Stream` of feature vectors in place of images."""

    item_ids: Tensor
    rows: Rows
    device: torch.device

    def __len__(self) -> int:
        return len(self.item_ids)

    def ids(self) -> Tensor:
        return self.item_ids

    def some(self, places: Tensor) -> "Table":
        return Table(self.item_ids[places], self.rows[places.numpy()], self.device)

    def whole(self, side: int) -> "Table":
        return self

    def batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        for part in blocks(len(self), ROWS):
            yield self.item_ids[part], self.take(torch.arange(part.start, part.stop))

    def take(self, places: Tensor) -> Tensor:
        """The vectors at these places, `(B, D)`, on the device."""
        return torch.from_numpy(np.array(self.rows[places.numpy()])).to(self.device)


def embedded(stream: Stream, embed: Callable[[Tensor], Tensor], device: torch.device) -> Table:
    """The features of a stream's images, each embedded once."""
    rows = gathered((embed(images) for _, images in in_even_chunks(stream.batches())), stream.ids())
    return Table(stream.ids(), rows.numpy(), device)


def chosen(rows: Rows, ids: Tensor, device: torch.device) -> Table:
    """The vectors of some items out of a table with a row an item id."""
    found = allocate(len(ids), rows.shape[1])
    for part in blocks(len(ids), ROWS):
        found[part] = rows[ids[part].numpy()]
    return Table(ids, found, device)


def beside(left: Table, right: Table, weight: float) -> Table:
    """The vectors of two tables of the same items one after the other, those of `right` times `weight`."""
    middle = left.rows.shape[1]
    rows = allocate(len(left), middle + right.rows.shape[1])
    for part in blocks(len(left), ROWS):
        rows[part, :middle], rows[part, middle:] = left.rows[part], right.rows[part] * weight
    return Table(left.item_ids, rows, left.device)


def standardise(tables: Sequence[Table], *others: Table) -> None:
    """Gives each feature mean zero and variance one over `tables`, in place; `others` are treated like them."""
    moments = Moments()
    for table in tables:
        for part in blocks(len(table), ROWS):
            moments.update(torch.from_numpy(table.rows[part]))
    mean, deviation = moments.mean.numpy(), moments.variance.sqrt().numpy()
    # A feature that never varies says nothing: it becomes zero.
    scale = np.where(deviation > 1e-6, deviation, 1.0)
    for table in (*tables, *others):
        for part in blocks(len(table), ROWS):
            table.rows[part] = (table.rows[part] - mean) / scale
