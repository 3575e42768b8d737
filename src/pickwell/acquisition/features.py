"""Feature vectors of a pool, on disk: a million of them must not fill the memory."""

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np
import torch
from torch import Tensor


def gathered(parts: Iterable[Tensor], rows: int, folder: Path | None = None) -> Tensor:
    """The parts `(B, D)` one after another, float32 `(rows, D)`, on a nameless memory-mapped file in `folder`.

    The file goes with the tensor, however the process ends. Without a `folder` it lies where temporary files do
    (TMPDIR); its pages in memory are the operating system's to take back. Memory of its own: one part.
    """
    table, done = torch.empty(0, 0), 0
    for part in parts:
        assert part.dim() == 2, f"features {tuple(part.shape)} are not one vector an image"
        if not done:
            table = _mapped(rows, part.shape[1], folder)
        table[done : done + len(part)] = part.float().cpu()
        done += len(part)
    assert done == rows, f"{done} feature vectors for {rows} items"
    return table


def _mapped(rows: int, columns: int, folder: Path | None) -> Tensor:
    with TemporaryFile(dir=folder) as file:  # the mapping outlives the handle
        return torch.from_numpy(np.memmap(file, dtype=np.float32, mode="w+", shape=(rows, max(columns, 1))))
