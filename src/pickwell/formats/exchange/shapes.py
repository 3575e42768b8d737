"""Shapes to label maps: polygons filled, regions painted over one another."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pickwell.errors import LabelError
from pickwell.formats.exchange.found import UNCOVERED, Codes, Size
from pickwell.formats.exchange.runs import Region
from pickwell.masks import Mask

_CROSSINGS = 1 << 22
"""So many crossings of rows are held at once."""


def fill(points: ArrayLike, size: Size, what: str = "a polygon") -> Region:
    """The pixels `(H, W)` whose centres lie in a polygon of points `(N, 2)`, in pixels from the top left corner.

    A centre on an edge belongs to the side on its right, or below: polygons that share an edge neither overlap nor
    leave a gap. Where a polygon crosses itself, what it encloses an even number of times is outside.
    """
    corners = _corners(points, what)
    width, height = size
    crossings = np.zeros((height, width + 1), dtype=np.uint8)
    rows, starts = _rows(corners, height)
    step = max(1, _CROSSINGS // max(1, height))
    for first in range(0, len(corners), step):
        part = slice(first, first + step)
        _cross(crossings, corners[part], np.roll(corners, -1, axis=0)[part], rows[part], starts[part])
    inside: Region = np.cumsum(crossings, axis=1, dtype=np.uint8)[:, :width] % 2 == 1
    return inside


def _corners(points: ArrayLike, what: str) -> NDArray[np.float64]:
    try:
        corners = np.asarray(points, dtype=np.float64)
    except (ValueError, TypeError, OverflowError):
        raise LabelError(f"{what} has coordinates that are no numbers; draw it again") from None
    if corners.ndim != 2 or corners.shape[1] != 2 or len(corners) < 3:
        raise LabelError(f"{what} has {len(corners) if corners.ndim else 0} points; it needs at least 3 of x and y")
    if not np.isfinite(corners).all() or np.abs(corners).max() > 1e9:
        raise LabelError(f"{what} has coordinates that are not finite or beyond 1e9; draw it again")
    return corners


def _rows(corners: NDArray[np.float64], height: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each edge the number of rows whose centres it crosses, and the first of them."""
    ends = np.stack([corners[:, 1], np.roll(corners[:, 1], -1)])
    low, high = (np.clip(np.ceil(y - 0.5), 0, height).astype(np.int64) for y in (ends.min(0), ends.max(0)))
    return high - low, low


def _cross(
    crossings: NDArray[np.uint8],
    start: NDArray[np.float64],
    end: NDArray[np.float64],
    rows: NDArray[np.int64],
    first: NDArray[np.int64],
) -> None:
    """Counts, before the first pixel on the right of each crossing, the edges that cross a row's centre."""
    edge = np.repeat(np.arange(len(rows)), rows)
    row = np.arange(len(edge)) - np.repeat(np.cumsum(rows) - rows, rows) + first[edge]
    # From the upper end to the lower: an edge that two polygons share is computed the same for both.
    turn = (start[:, 1] > end[:, 1])[:, None]
    upper, lower = np.where(turn, end, start)[edge], np.where(turn, start, end)[edge]
    share = (row + 0.5 - upper[:, 1]) / (lower[:, 1] - upper[:, 1])
    x = upper[:, 0] + share * (lower[:, 0] - upper[:, 0])
    column = np.clip(np.ceil(x - 0.5), 0, crossings.shape[1] - 1).astype(np.int64)
    np.add.at(crossings, (row, column), np.uint8(1))  # wraps at 256, which keeps even even


def paint(regions: Iterable[tuple[str, Region]], size: Size, background: str | None = None) -> Codes:
    """The label map of named regions in order, later ones over earlier; what none covers is `background`, or nothing.

    Pixels that regions of different classes cover are counted as overlap.
    """
    values = np.full((size[1], size[0]), UNCOVERED, dtype=np.uint16)
    names: dict[str, int] = {}
    disputed = np.zeros(values.shape, dtype=np.bool_)
    for name, region in regions:
        code = names.setdefault(name, len(names))
        if code >= UNCOVERED:
            raise LabelError(f"there are more than {UNCOVERED:,} classes; export fewer")
        disputed |= region & (values != UNCOVERED) & (values != code)
        values[region] = code
    table: dict[int, str | None] = {code: name for name, code in names.items()}
    return Codes(values, table | {UNCOVERED: background}, int(disputed.sum()))


def parts(mask: Mask, classes: Sequence[str]) -> list[tuple[int, str, Region]]:
    """The classes that a label map has: index, name and region of each, in the order of the class list."""
    present = np.flatnonzero(np.bincount(mask.ravel(), minlength=256)[: len(classes)]).tolist()
    return [(index, classes[index], mask == index) for index in present]
