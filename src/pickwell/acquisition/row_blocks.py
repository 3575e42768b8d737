"""Rows of a table, block by block: what is read at once bounds the memory, however long the table is."""

from collections.abc import Iterator

BLOCK = 2048
"""How many rows are worked on at once, unless another number is asked for."""


def blocks(count: int, size: int = BLOCK) -> Iterator[slice]:
    """The places 0 to `count` - 1 in order, `size` at a time.

    >>> list(blocks(5, 2))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    return (slice(start, min(start + size, count)) for start in range(0, count, size))
