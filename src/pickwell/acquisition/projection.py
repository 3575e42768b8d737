"""A map of a pool: its items on the plane in which their latents vary most."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Projection:
    """Items `(N,)` on a plane: `points` `(N, 2)`; `scores` `(N,)`, NaN for those that were `labelled` `(N,)`."""

    items: NDArray[np.int64]
    points: NDArray[np.float32]
    scores: NDArray[np.float32]
    labelled: NDArray[np.bool_]


def spread(count: int, most: int, wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    """At most `most` ascending places out of `count`, evenly spaced, with all the `wanted` ones as far as they fit."""
    if count <= most:
        return np.arange(count)
    wanted = np.unique(wanted)[:most]
    even = np.linspace(0, count - 1, most - len(wanted)).round().astype(np.int64)
    return np.union1d(wanted, even)
