"""Polygons around regions fill to the same pixels again."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from pickwell.formats.exchange.outlines import outlines
from pickwell.formats.exchange.run_lengths import Region
from pickwell.formats.exchange.shapes import fill


def parts_of(region: Region) -> list[list[list[bool]]]:
    numbers, count = ndimage.label(region)
    return sorted((numbers == number + 1).tolist() for number in range(count))


def drawn(region: Region) -> list[list[list[bool]]]:
    size = region.shape[1], region.shape[0]
    return sorted(fill(polygon, size).tolist() for polygon in outlines(region))


@settings(deadline=None, max_examples=300)
@given(region=arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=12)))
def test_each_part_is_a_polygon_that_fills_to_its_pixels(region: Region) -> None:
    assert drawn(region) == parts_of(region)


@pytest.mark.parametrize("size", [(1, 1), (7, 5)])
def test_a_whole_image_is_its_rectangle(size: tuple[int, int]) -> None:
    (walked,) = outlines(np.ones(size[::-1], dtype=np.bool_))
    assert walked == [(0, 0), (size[0], 0), size, (0, size[1])]
    assert outlines(np.zeros(size[::-1], dtype=np.bool_)) == []


def test_a_hole_is_walked_the_other_way_round_after_a_cut() -> None:
    ring = np.ones((3, 4), dtype=np.bool_)
    ring[1, 1:3] = False
    (walked,) = outlines(ring)
    hole = [(1, 0), (1, 1), (1, 2), (3, 2), (3, 1), (1, 1), (1, 0)]
    assert walked == [(0, 0), *hole, (4, 0), (4, 3), (0, 3)]
    x, y = np.array(walked).T
    assert x @ np.roll(y, -1) - y @ np.roll(x, -1) == 2 * ring.sum()


@pytest.mark.parametrize("kind", ["noise", "holes in holes", "one column of holes"])
def test_large_regions_take_little_time(kind: str) -> None:
    region = np.ones((700, 900), dtype=np.bool_)
    if kind == "noise":
        region = np.random.default_rng(0).random(region.shape) < 0.6
    elif kind == "holes in holes":
        for inset in range(1, 300, 2):
            region[inset:-inset, inset:-inset] = inset % 4 == 3
    else:
        region[1::2, 450] = False
    began = time.perf_counter()
    polygons = outlines(region)
    assert time.perf_counter() - began < 10
    painted = np.zeros_like(region)
    for polygon in sorted(polygons, key=len)[-50:]:
        inside = fill(polygon, (900, 700))
        assert not (inside & painted).any()
        painted |= inside
    assert not (painted & ~region).any()
    assert len(polygons) > 50 or (painted == region).all()
