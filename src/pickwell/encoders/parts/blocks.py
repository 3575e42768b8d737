"""Prepared images in blocks of one shape."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray


def in_blocks(prepared: NDArray[Any], size: int) -> Iterator[NDArray[Any]]:
    """The images `(B, ...)` in blocks of exactly `size`, the last filled up with zeros: one shape, one kernel.

    >>> [block.tolist() for block in in_blocks(np.arange(1, 4), 2)]
    [[1, 2], [3, 0]]
    """
    for start in range(0, len(prepared), size):
        block = prepared[start : start + size]
        missing = size - len(block)
        yield np.concatenate((block, np.zeros((missing, *block.shape[1:]), block.dtype))) if missing else block
