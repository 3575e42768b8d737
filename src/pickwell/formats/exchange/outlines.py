"""Regions to polygons along the edges of their pixels, which fill to the same pixels again."""

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from pickwell.formats.exchange.run_lengths import Region

Ring = list[int]
"""The places of corners in the order in which a border is walked: a horizontal edge first, then one by one."""
Corner = tuple[int, int]
"""x and y, in pixels from the top left corner."""


def outlines(region: Region) -> list[list[Corner]]:
    """A polygon for each part of a region `(H, W)` whose pixels share edges, clockwise.

    A hole is walked the other way round, and reached by a cut that is walked twice and encloses nothing: one polygon is
    enough, by the even-odd rule and by windings. Memory: a few numbers a pixel, time: a little for each corner.
    """
    xs, ys, rings = _rings(region)
    outer = [ring for ring in rings if region[ys[ring[0]], xs[ring[0]]]]
    holes = [ring for ring in rings if not region[ys[ring[0]], xs[ring[0]]]]
    cuts = _cuts(region, xs, ys, holes)
    return [_walked(ring, xs, ys, cuts) for ring in outer]


def _rings(region: Region) -> tuple[list[int], list[int], list[Ring]]:
    """The corners' x and y, row by row, and the borders, each from the left end of its topmost edge."""
    around = np.pad(region, 1).astype(np.int8)
    left, right = around[:-1, :-1], around[:-1, 1:]  # above each corner
    odd = (left + right + around[1:, :-1] + around[1:, 1:]) % 2 == 1
    # Where only diagonal pixels touch, two borders have a corner each: pixels must share an edge to be one part.
    crossed = (left == around[1:, 1:]) & (right == around[1:, :-1]) & (left != right)
    where = np.flatnonzero(odd | crossed)
    times = np.where(crossed.ravel()[where], 2, 1)
    ys, xs = np.divmod(np.repeat(where, times), odd.shape[1])
    second = np.zeros(len(xs), dtype=np.bool_)
    second[np.cumsum(times)[times == 2] - 1] = True
    # Row by row an edge ends at every other corner; column by column, too, if of two corners in one place the first is
    # that of the pixel on the left above, or else on the right.
    swapped = second != right[ys, xs].astype(np.bool_) * crossed[ys, xs]
    by_column = np.lexsort((swapped, ys, xs))
    above_or_below = np.empty(len(xs), dtype=np.int64)
    above_or_below[by_column] = by_column.reshape(-1, 2)[:, ::-1].ravel()
    return xs.tolist(), ys.tolist(), list(_walks(above_or_below.tolist()))


def _walks(above_or_below: list[int]) -> Iterator[Ring]:
    """The borders: from corner to corner along a row (to the neighbour of its pair) and along a column, in turn."""
    seen = [False] * len(above_or_below)
    for first in range(0, len(seen), 2):
        ring, at = [], first
        while not seen[at]:
            ring += [at, at ^ 1]
            seen[at] = seen[at ^ 1] = True
            at = above_or_below[at ^ 1]
        if ring:
            yield ring


def _cuts(region: Region, xs: list[int], ys: list[int], holes: list[Ring]) -> dict[int, list[Ring]]:
    """The holes that are reached from each horizontal edge, straight down from it; edges by the place of a corner."""
    if not holes:
        return {}
    rows = np.arange(1, region.shape[0] + 1)[:, None]
    begins = np.maximum.accumulate(np.where(region, 0, rows), axis=0)  # of the column's run of pixels: its first row
    wide = region.shape[1] + 1
    lefts = np.array(ys[::2]) * wide + np.array(xs[::2])
    cuts: dict[int, list[Ring]] = defaultdict(list)
    for ring in sorted(holes, key=lambda ring: xs[ring[0]]):
        x, y = xs[ring[0]], ys[ring[0]]
        edge = np.searchsorted(lefts, begins[y - 1, x] * wide + x, side="right") - 1
        cuts[int(edge)].append(ring)
    return cuts


def _walked(outer: Ring, xs: list[int], ys: list[int], cuts: dict[int, list[Ring]]) -> list[Corner]:
    """The polygon of a border, with all holes that are reached from it."""

    def steps(ring: Ring, *, hole: bool) -> Iterator[Corner | Ring]:
        if hole:
            yield xs[ring[0]], ys[ring[0]]
        way = ring[::-1] if hole else ring
        for start, end in zip(way[::2], way[1::2], strict=True):
            yield xs[start], ys[start]
            reached = cuts.get(start // 2, [])
            for other in reached if xs[start] < xs[end] else reversed(reached):
                cut = xs[other[0]], ys[start]
                yield from (cut, other, cut)
            yield xs[end], ys[end]

    # A stack: holes may hang below holes by the thousand.
    walked: list[Corner] = []
    walks = [steps(outer, hole=False)]
    while walks:
        step = next(walks[-1], None)
        if step is None:
            walks.pop()
        elif isinstance(step, list):
            walks.append(steps(step, hole=True))
        else:
            walked.append(step)
    return walked
