"""A table of vectors on disk, a row an image: appended to, resumed after a kill, memory-mapped."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pickwell.files import locked, naming, replacing, sync

Rows = NDArray[np.float32]

SHARD = 1 << 16
"""Rows of a file, the last one's fewer: 335 MB of 1,280 numbers."""
SYNCED = 1 << 12
"""Rows after which they are made sure to be on the disk: a power cut costs no more."""
LOCK, HOLES = "table.lock", "holes.npy"


class FeatureTable:
    """Vectors `(N, length)`, float32, in files of 65,536 rows; row n is that of item n.

    The files hold the numbers alone, one row after the other, so that whatever a killed writer left is whole but for
    its last row, which is written again.
    """

    def __init__(self, folder: Path, length: int) -> None:
        self.folder, self.length = folder, length

    def __len__(self) -> int:
        """The rows that are written."""
        rows = 0
        for path in self._paths():
            rows += path.stat().st_size // self._row
            if rows % SHARD:  # the last one, or one that was cut short: what comes after it is no row's place
                break
        return rows

    def shards(self) -> Sequence[Rows]:
        """The rows file by file, memory-mapped and read-only."""
        left, found = len(self), []
        for path in self._paths():
            if rows := min(left, SHARD):
                found.append(np.memmap(path, np.dtype("<f4"), mode="r", shape=(rows, self.length)))
            left -= rows
        return found

    def holes(self) -> NDArray[np.int64]:
        """The rows, ascending, that are not a number: of images that could not be read."""
        path = self.folder / HOLES
        found: NDArray[np.int64] = np.load(path, allow_pickle=False) if path.exists() else np.empty(0, np.int64)
        return found[found < len(self)]

    def mark(self, rows: NDArray[np.int64]) -> None:
        """Says which rows are holes; before they are written, so that none is taken for a vector."""
        with replacing(self.folder / HOLES) as new, new.open("wb") as file:
            np.save(file, rows)

    def fill(self, row: int, vector: Rows) -> None:
        """Puts a vector `(length,)` into a hole; what was worked out from the others is forgotten."""
        with _path(self.folder, row // SHARD).open("r+b") as file:
            file.seek(row % SHARD * self._row)
            file.write(np.ascontiguousarray(vector, "<f4").tobytes())
        for old in self.folder.glob("moments-*"):
            old.unlink()
        self.mark(np.setdiff1d(self.holes(), row))

    @contextmanager
    def appending(self) -> Iterator[Callable[[Rows], None]]:
        """A function that appends rows `(B, length)`, for one process at a time; BusyError for a second."""
        self.folder.mkdir(parents=True, exist_ok=True)
        busy = f"another process is encoding images into {self.folder}; wait until it has ended, then repeat"
        with locked(self.folder / LOCK, busy):
            writer = _Writer(self.folder, self._row, len(self))
            try:
                yield writer.append
            finally:
                writer.close()

    def _paths(self) -> Iterator[Path]:
        number = 0
        while (path := _path(self.folder, number)).exists():
            yield path
            number += 1

    @property
    def _row(self) -> int:
        """The bytes of a row."""
        return 4 * self.length


class _Writer:
    """The end of a table, open."""

    def __init__(self, folder: Path, row: int, rows: int) -> None:
        self.folder, self.row, self.rows, self.unsynced = folder, row, rows, 0
        self.file = self._open()

    def append(self, rows: Rows) -> None:
        """Writes rows after the last one."""
        while len(rows):
            if self.rows and self.rows % SHARD == 0 and self.file.tell():
                self.close()
                self.file = self._open()
            some, rows = np.split(rows, [SHARD - self.rows % SHARD])
            with naming(Path(self.file.name)):
                left = memoryview(np.ascontiguousarray(some, "<f4").tobytes())
                while left:  # nothing is kept back, of which a full disk would be told a second time
                    left = left[self.file.write(left) :]
            self.rows += len(some)
            self.unsynced += len(some)
            if self.unsynced >= SYNCED:
                os.fsync(self.file.fileno())
                self.unsynced = 0

    def close(self) -> None:
        """Leaves whole rows alone, on the disk."""
        self.file.close()
        path = Path(self.file.name)
        os.truncate(path, path.stat().st_size // self.row * self.row)
        sync(path)
        sync(self.folder)

    def _open(self) -> FileIO:
        path = _path(self.folder, self.rows // SHARD)
        file = path.open("ab", buffering=0)
        file.truncate(self.rows % SHARD * self.row)
        return file


def _path(folder: Path, number: int) -> Path:
    return folder / f"{number:06d}.f32"
