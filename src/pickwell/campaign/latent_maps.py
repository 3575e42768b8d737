"""The map of a round, `rounds/0003.latents.npz`: the pool on the plane of the strategy's latents."""

import logging
import zipfile
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pickwell.acquisition.projection import Projection
from pickwell.files import replacing

logger = logging.getLogger("pickwell")

UNLABELLED, LABELLED, PICKED = range(3)
"""What an item was when the round was asked."""
MOST = 100_000
Columns = tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]


class Maps:
    """The maps of the rounds; none where no file was written, or where it cannot be read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read = lru_cache(maxsize=2)(_read)

    def write(self, number: int, found: Projection) -> None:
        """Writes a round's map before the round opens; where it cannot be written, the round opens without one."""
        try:
            self.folder.mkdir(exist_ok=True)
            # Through a handle: to the temporary name numpy would add `.npz`.
            with replacing(self._path(number)) as path, path.open("wb") as file:
                np.savez(file, items=found.items, points=found.points, scores=found.scores, labelled=found.labelled)
        except OSError as error:
            logger.warning("round %d has no map: %s", number, error)

    def numbers(self) -> list[int]:
        """The rounds that have a map, ascending."""
        return sorted(int(path.name[:4]) for path in self.folder.glob("[0-9][0-9][0-9][0-9].latents.npz"))

    def of(self, number: int, picked: NDArray[np.int64]) -> bytes | None:
        """The map of a round, the picked items last; None where there is none.

        A uint32 with the number N of items, then little-endian columns of N: item (uint32), x and y in [0, 1]
        (float32, y upwards), score (float32, NaN where there is none), state (uint8: 0 unlabelled, 1 labelled before
        the round, 2 picked in it).
        """
        path = self._path(number)
        try:
            columns = self._read(path, path.stat().st_mtime_ns)
        except OSError:
            return None
        return packed(columns, picked) if columns else None

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:04d}.latents.npz"


def packed(columns: Columns, picked: NDArray[np.int64]) -> bytes:
    """The bytes that `Maps.of` describes."""
    items, points, scores, labelled = columns
    state = np.where(labelled, LABELLED, UNLABELLED)
    state[np.isin(items, picked)] = PICKED
    # What is drawn last lies on top: picks above labelled ones, and those above the rest.
    order = np.argsort(state, kind="stable")
    low, high = points.min(0), points.max(0)
    x, y = ((points - low) / np.where(high > low, high - low, 1)).T
    parts = [items.astype("<u4"), x.astype("<f4"), y.astype("<f4"), scores.astype("<f4"), state.astype("u1")]
    return len(items).to_bytes(4, "little") + b"".join(part[order].tobytes() for part in parts)


def _read(path: Path, _changed: int) -> Columns | None:
    try:
        with path.open("rb") as bytes_, np.load(bytes_, allow_pickle=False) as file:
            items, points, scores, labelled = (file[name] for name in ("items", "points", "scores", "labelled"))
    except (ValueError, KeyError, EOFError, OSError, zipfile.BadZipFile):
        return None  # a map is a courtesy
    right = 0 < len(items) == len(points) == len(scores) == len(labelled) <= MOST and points.shape[1:] == (2,)
    sound = right and items.dtype == np.int64 and labelled.dtype == np.bool_ and bool(np.isfinite(points).all())
    return (items, points, scores, labelled) if sound else None
