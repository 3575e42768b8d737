"""Near-copies by their vectors: bursts, and photographs that were saved again or enlarged."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pickwell.features.table import FeatureTable, Rows
from pickwell.files import replacing

STEP = 4096
"""Rows that are compared at once with as many others, which bounds the memory."""


def near_copies(shards: Sequence[Rows], threshold: float) -> NDArray[np.int64]:
    """The pairs `(P, 2)` of rows whose cosine is `threshold` or more, the lower one first; holes are in none.

    Every row is compared with every other: 10,000 of 1,280 numbers are 0.13 trillion products.
    """
    ends = np.cumsum([len(shard) for shard in shards])
    parts = [
        (end - len(shard) + start, shard[start : start + STEP])
        for shard, end in zip(shards, ends.tolist(), strict=True)
        for start in range(0, len(shard), STEP)
    ]
    found = [np.empty((0, 2), np.int64)]
    for place, (start, rows) in enumerate(parts):
        own = _unit(rows)
        for other, others in parts[place:]:
            one, two = np.nonzero(own @ _unit(others).T >= threshold)
            pairs = np.stack((one + start, two + other), axis=1)
            found.append(pairs[pairs[:, 0] < pairs[:, 1]])
    return np.concatenate(found)


def keep_near_copies(table: FeatureTable, threshold: float, folder: Path) -> None:
    """Writes the near-copies of a whole table to the one file of a folder, unless it holds them already."""
    path = folder / f"{table.folder.name}-{threshold:g}.npy"
    written = max((shard.stat().st_mtime_ns for shard in table.folder.glob("*.f32")), default=0)
    if path.exists() and path.stat().st_mtime_ns > written:
        return
    folder.mkdir(exist_ok=True)
    found = near_copies(table.shards(), threshold)
    for old in folder.glob("*.npy"):
        old.unlink()
    with replacing(path, shared=True) as new, new.open("wb") as file:
        np.save(file, found)


def _unit(rows: Rows) -> Rows:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(length > 0, length, 1), np.float32)
