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

    The `pool` is a stream of the images that can be read, out of so many `rows`: those of the others are zero.

    A pool that has grown has its tables made anew: were rows only appended, they would depend on when it grew.
    """

    folder: Path
    pool: Stream
    rows: int
    seed: int
    facts: Sequence[object]

    def get(self, name: str, make: Callable[[Stream, torch.Generator], Iterator[Tensor]]) -> Rows:
        """The table of that name, memory-mapped; made now if it is not there, is damaged, or a fact has changed."""
        lacking = np.setdiff1d(np.arange(self.rows), self.pool.ids().numpy()).tolist()
        facts = json.dumps([name, self.seed, self.rows, *self.facts, *lacking], default=str)
        path = self.folder / f"{name}-{hashlib.sha256(facts.encode()).hexdigest()[:24]}.npy"
        found = _read(path, self.rows)
        if found is None:
            self.folder.mkdir(exist_ok=True)
            # First, so that the disk holds one table of a name at most.
            for old in (*self.folder.glob(f"{name}-*"), *self.folder.glob(f".{name}-*")):
                old.unlink()
            _write(path, make(self.pool, generator(self.seed, "vectors", name)), self.pool.ids().numpy(), self.rows)
            found = _read(path, self.rows)
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


def _write(path: Path, parts: Iterable[Tensor], ids: NDArray[np.int64], rows: int) -> None:
    """Writes the vectors of ascending ids one after another; a reader sees the whole file or none."""
    done = written = 0
    # Not through a memory map: on a full disk that ends the process without a word.
    with replacing(path) as new, new.open("wb") as file:
        for part in parts:
            values = part.float().cpu().numpy()
            if not done:
                # A header by hand: how long a vector is shows in the first part only.
                shape = {"descr": "<f4", "fortran_order": False, "shape": (rows, values.shape[1])}
                np.lib.format.write_array_header_1_0(file, shape)
            places = ids[done : done + len(values)] - written
            block = np.zeros((places[-1] + 1, values.shape[1]), "<f4")
            block[places] = values
            file.write(block.tobytes())
            done, written = done + len(values), written + len(block)
        assert done == len(ids), f"{done} vectors for {len(ids)} items"
        file.write(np.zeros((rows - written, values.shape[1]), "<f4").tobytes())
