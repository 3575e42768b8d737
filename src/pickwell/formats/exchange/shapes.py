"""Shapes to label maps: polygons filled, regions painted over one another."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pickwell.errors import LabelError
from pickwell.formats.exchange.found import UNCOVERED, Codes, Size
from pickwell.formats.exchange.run_lengths import Region
from pickwell.tasks.segmentation.label_maps import Mask, counted

_CROSSINGS = 1 << 22
"""So many crossings of rows are held at once."""


def fill(points: ArrayLike, size: Size, what: str = "a polygon") -> Region:
    """The pixels `(H, W)` whose centres lie in a polygon of points `(N, 2)`, in pixels from the top left corner.

    A centre on an edge belongs to the side on its right, or below: polygons that share an edge neither overlap nor
    leave a gap. Where a polygon crosses itself, what it encloses an even number of times is outside.
    """
    corners = _corners(points, what)
    width, height = size
    rows, starts = _rows(corners, height)
    top, bottom = int(starts.min()), int((starts + rows).max())
    left, right = (int(x) for x in np.clip(np.ceil([corners[:, 0].min() - 0.5, corners[:, 0].max() - 0.5]), 0, width))
    crossings = np.zeros((bottom - top, right - left + 1), dtype=np.uint8)
    step = max(1, _CROSSINGS // height)
    for first in range(0, len(corners), step):
        part = slice(first, first + step)
        ends = corners[part], np.roll(corners, -1, axis=0)[part]
        _cross(crossings, *ends, rows[part], starts[part], (left, top))
    region = np.zeros((height, width), dtype=np.bool_)
    # Inside is what has an odd number of edges on its left.
    region[top:bottom, left:right] = np.cumsum(crossings, axis=1, dtype=np.uint8)[:, :-1] % 2 == 1
    return region


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
    corner: tuple[int, int],
) -> None:
    """Counts, before the first pixel on the right of each crossing, the edges that cross a row's centre.

    `crossings` is the part of the image from its top left `corner` on.
    """
    edge = np.repeat(np.arange(len(rows)), rows)
    row = np.arange(len(edge)) - np.repeat(np.cumsum(rows) - rows, rows) + first[edge]
    # From the upper end to the lower: an edge that two polygons share is computed the same for both.
    turn = (start[:, 1] > end[:, 1])[:, None]
    upper, lower = np.where(turn, end, start)[edge], np.where(turn, start, end)[edge]
    share = (row + 0.5 - upper[:, 1]) / (lower[:, 1] - upper[:, 1])
    x = upper[:, 0] + share * (lower[:, 0] - upper[:, 0])
    column = np.clip(np.ceil(x - 0.5) - corner[0], 0, crossings.shape[1] - 1).astype(np.int64)
    np.add.at(crossings, (row - corner[1], column), np.uint8(1))  # wraps at 256, which keeps even even


def paint(regions: Iterable[tuple[str, Region]], size: Size) -> Codes:
    """The label map of named regions in order, later ones over earlier; what none covers is UNCOVERED.

    Pixels that regions of different classes cover are counted as overlap.
    """
    values = np.full((size[1], size[0]), UNCOVERED, dtype=np.uint16)
    names: dict[str, int] = {}
    disputed = np.zeros(values.shape, dtype=np.bool_)
    for name, region in regions:
        code = names.setdefault(name, len(names))
        if code >= UNCOVERED:
            raise LabelError(f"there are more than {UNCOVERED:,} classes; export fewer")
        inside = np.flatnonzero(region)  # most shapes are small: whole pictures would be slow to compare
        below = values.ravel()[inside]
        disputed.ravel()[inside] |= (below != UNCOVERED) & (below != code)
        values.ravel()[inside] = code
    return Codes(values, {code: name for name, code in names.items()}, int(disputed.sum()))


def parts(mask: Mask, classes: Sequence[str]) -> list[tuple[int, str, Region]]:
    """The classes that a label map has: index, name and region of each, in the order of the class list."""
    present = np.flatnonzero(counted(mask)[: len(classes)]).tolist()
    return [(index, classes[index], mask == index) for index in present]
