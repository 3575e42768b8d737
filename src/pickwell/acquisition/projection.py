"""A map of a pool: its items on the plane in which their latents vary most."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ROWS = 4096


@dataclass(frozen=True)
class Projection:
    """Items `(N,)` on a plane: `points` `(N, 2)`; `scores` `(N,)`, NaN for those that were `labelled` `(N,)`."""

    items: NDArray[np.int64]
    points: NDArray[np.float32]
    scores: NDArray[np.float32]
    labelled: NDArray[np.bool_]


def plane(rows: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The mean `(D,)` and the two principal axes `(D, 2)` of rows `(N, D)`, read block by block.

    The covariance is summed exactly; of each axis the component of largest size is positive. A single row, or a single
    column, has axes of zeros for what it lacks.
    """
    count, width = rows.shape
    blocks = [rows[start : start + ROWS] for start in range(0, count, ROWS)]
    mean = sum((block.sum(0, dtype=np.float64) for block in blocks), np.zeros(width)) / max(count, 1)
    covariance = np.zeros((width, width))
    for block in blocks:
        away = block - mean
        covariance += away.T @ away
    _, vectors = np.linalg.eigh(covariance)
    axes = np.zeros((width, 2))
    axes[:, : min(2, width)] = vectors[:, ::-1][:, :2]
    # The sign of an eigenvector is the library's choice; without this a map might be mirrored.
    largest = axes[np.abs(axes).argmax(0), [0, 1]]
    return mean, axes * np.where(largest < 0, -1, 1)


def spread(count: int, most: int, wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    """At most `most` ascending places out of `count`, evenly spaced, with all the `wanted` ones as far as they fit."""
    if count <= most:
        return np.arange(count)
    wanted = np.unique(wanted)[:most]
    even = np.linspace(0, count - 1, most - len(wanted)).round().astype(np.int64)
    return np.union1d(wanted, even)
