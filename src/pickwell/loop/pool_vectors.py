"""Vectors of the whole pool that stay the same from round to round: made once, kept on disk."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pickwell.files import replacing
from pickwell.learner.generators import generator
from pickwell.learner.item_stream import Stream

Rows = NDArray[np.float32]


@dataclass(frozen=True)
class PoolVectors:
    """A folder of tables, a row an item id. `facts` are what can change a table, beside the `seed` and its name.

    A pool that has grown has its tables made anew: were rows only appended, they would depend on when it grew.
    """

    folder: Path
    pool: Stream
    seed: int
    facts: Sequence[object]

    def get(self, name: str, make: Callable[[Stream, torch.Generator], Iterator[Tensor]]) -> Rows:
        """The table of that name, memory-mapped; made now if it is not there, is damaged, or a fact has changed."""
        facts = json.dumps([name, self.seed, len(self.pool), *self.facts], default=str)
        path = self.folder / f"{name}-{hashlib.sha256(facts.encode()).hexdigest()[:24]}.npy"
        found = _read(path, len(self.pool))
        if found is None:
            self.folder.mkdir(exist_ok=True)
            # First, so that the disk holds one table of a name at most.
            for old in (*self.folder.glob(f"{name}-*"), *self.folder.glob(f".{name}-*")):
                old.unlink()
            _write(path, make(self.pool, generator(self.seed, "vectors", name)), len(self.pool))
            found = _read(path, len(self.pool))
            assert found is not None, f"{path} cannot be read back"
        return found


def _read(path: Path, rows: int) -> Rows | None:
    """The table in a file, memory-mapped; None where there is none of that shape."""
    try:
        found: Rows = np.load(path, mmap_mode="r", allow_pickle=False)
    # A damaged table is as good as none.
    except (FileNotFoundError, EOFError, ValueError):
        return None
    return found if found.dtype == np.float32 and found.ndim == 2 and len(found) == rows else None


def _write(path: Path, parts: Iterable[Tensor], rows: int) -> None:
    """Writes the parts one after another; a reader sees the whole file or none."""
    done = 0
    # Not through a memory map: on a full disk that ends the process without a word.
    with replacing(path) as new, new.open("wb") as file:
        for part in parts:
            values = part.float().cpu().numpy()
            if not done:
                # A header by hand: how long a vector is shows in the first part only.
                shape = {"descr": "<f4", "fortran_order": False, "shape": (rows, values.shape[1])}
                np.lib.format.write_array_header_1_0(file, shape)
            file.write(np.ascontiguousarray(values, "<f4").tobytes())
            done += len(values)
        assert done == rows, f"{done} vectors for {rows} items"
