"""Feature vectors of a pool, on disk where they are many: a million of them must not fill the memory."""

import os
from collections.abc import Iterable
from tempfile import TemporaryFile, gettempdir

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pickwell.acquisition.streaming import refuse_nan

IN_MEMORY = 256 * 2**20
"""Bytes above which a table is a memory-mapped file."""


def allocate(rows: int, columns: int) -> NDArray[np.float32]:
    """A table `(rows, columns)`, float32, in memory or, if it is large, on a nameless file among the temporary ones.

    The file goes with the table, however the process ends; its pages are the operating system's to take back.
    """
    if rows * columns * 4 <= IN_MEMORY:
        return np.zeros((rows, columns), dtype=np.float32)
    with TemporaryFile() as file:  # the mapping outlives the handle
        _reserve(file.fileno(), rows * columns * 4)
        return np.memmap(file, dtype=np.float32, mode="w+", shape=(rows, columns))


def _reserve(file: int, size: int) -> None:
    """Takes the room on the disk at once: a mapped page that finds the disk full ends the process without a word."""
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file, 0, size)
    except OSError as error:
        raise OSError(error.errno, error.strerror, gettempdir()) from None


def gathered(parts: Iterable[Tensor], ids: Tensor) -> Tensor:
    """The features of the items `(N,)`, float32 `(N, D)`, in a table of `allocate`'s; its own memory: one part.

    They come in parts `(B, D)`, in the order of `ids`. Raises TrainingError where one is not a number: no distance
    could be told from it, and a cover would take the item for all that is far, or never end.
    """
    table, done = torch.empty(0, 0), 0
    for part in parts:
        assert part.dim() == 2, f"features {tuple(part.shape)} are not one vector an image"
        if not done:
            table = torch.from_numpy(allocate(len(ids), part.shape[1]))
        rows = part.float().cpu()
        refuse_nan(ids[done:], rows, "a feature")
        table[done : done + len(part)] = rows
        done += len(part)
    assert done == len(ids), f"{done} feature vectors for {len(ids)} items"
    return table
