"""Polygons: a pixel belongs to it if its centre lies inside; neighbours share an edge without a gap or an overlap."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pickwell.errors import LabelError
from pickwell.formats.exchange.found import UNCOVERED
from pickwell.formats.exchange.run_lengths import Region
from pickwell.formats.exchange.shapes import fill, paint

Point = tuple[float, float]
WIDTH, HEIGHT = 12, 9


def slow(points: list[Point]) -> Region:
    """The even-odd rule, one pixel centre at a time."""
    drawn = np.zeros((HEIGHT, WIDTH), dtype=np.bool_)
    for row in range(HEIGHT):
        for column in range(WIDTH):
            x, y = column + 0.5, row + 0.5
            for (x0, y0), (x1, y1) in zip(points, points[1:] + points[:1], strict=True):
                if (y0 > y) != (y1 > y):
                    (xa, ya), (xb, yb) = ((x0, y0), (x1, y1)) if y0 <= y1 else ((x1, y1), (x0, y0))
                    drawn[row, column] ^= xa + (y - ya) / (yb - ya) * (xb - xa) <= x
    return drawn


# Quarters meet pixel centres and edges, where the rule has to decide.
COORDINATES = st.one_of(st.integers(-8, 56).map(lambda n: n / 4), st.floats(-3, 15, allow_nan=False))
POLYGONS = st.lists(st.tuples(COORDINATES, COORDINATES), min_size=3, max_size=9)


@settings(deadline=None, max_examples=300)
@given(points=POLYGONS)
def test_it_is_the_even_odd_rule_at_pixel_centres(points: list[Point]) -> None:
    assert fill(points, (WIDTH, HEIGHT)).tolist() == slow(points).tolist()


def test_a_rectangle_on_pixel_edges_is_those_pixels() -> None:
    drawn = fill([(1, 2), (4, 2), (4, 5), (1, 5)], (WIDTH, HEIGHT))
    assert drawn.sum() == 9
    assert drawn[2:5, 1:4].all()


@settings(deadline=None, max_examples=200)
@given(middle=st.tuples(COORDINATES, COORDINATES), corners=POLYGONS)
def test_a_fan_of_triangles_covers_what_its_outline_covers(middle: Point, corners: list[Point]) -> None:
    """Shared edges are decided alike, whichever way round they are drawn: no gap and no overlap in the even-odd sum."""
    fan = np.zeros((HEIGHT, WIDTH), dtype=np.bool_)
    for turn, (one, other) in enumerate(zip(corners, corners[1:] + corners[:1], strict=True)):
        fan ^= fill([middle, one, other] if turn % 2 else [other, one, middle], (WIDTH, HEIGHT))
    assert fan.tolist() == fill(corners, (WIDTH, HEIGHT)).tolist()


def test_a_bow_tie_has_two_wings() -> None:
    drawn = fill([(0, 0), (8, 8), (8, 0), (0, 8)], (8, 8))
    assert drawn[4, 1]
    assert drawn[4, 6]
    assert not drawn[0, 4]
    assert not drawn[7, 4]


@pytest.mark.parametrize(
    ("points", "sentence"),
    [
        ([(0, 0), (1, 1)], "has 2 points; it needs at least 3"),
        ([], "has 0 points"),
        ([0, 1, 2], "it needs at least 3 of x and y"),
        ([(0, 0), (1, 1), (float("nan"), 0)], "not finite"),
        ([(0, 0), (1, 1), (float("inf"), 0)], "not finite"),
        ([(0, 0), (1, 1), (1e10, 0)], "beyond 1e9"),
        ([(0, 0), (1, 1), ("a", 0)], "no numbers"),
        ([(0, 0), (1, 1), (2,)], "no numbers"),
        ([(0, 0), (1, 1), (10**400, 0)], "no numbers"),
    ],
)
def test_wrong_polygons_are_told(points: object, sentence: str) -> None:
    with pytest.raises(LabelError, match=re.escape(sentence)):
        fill(points, (4, 4))  # type: ignore[arg-type]


def test_far_corners_cost_no_memory() -> None:
    assert fill([(-1e9, -1e9), (1e9, -1e9), (1e9, 1e9), (-1e9, 1e9)], (WIDTH, HEIGHT)).all()


def test_many_corners_are_taken_in_parts() -> None:
    zigzag = [(x / 1000, 0.0 if x % 2 else 400.0) for x in range(20_001)] + [(20.0, 600.0), (0.0, 600.0)]
    drawn = fill(zigzag, (20, 600))
    assert drawn[400:].all()


def test_later_regions_lie_over_earlier_ones_and_the_dispute_is_counted() -> None:
    one, other = fill([(0, 0), (3, 0), (3, 3), (0, 3)], (4, 3)), fill([(2, 0), (4, 0), (4, 3), (2, 3)], (4, 3))
    codes = paint([("sky", one), ("road", other), ("road", other)], (4, 3))
    assert codes.values.tolist() == [[0, 0, 1, 1]] * 3
    assert codes.names == {0: "sky", 1: "road"}
    assert codes.overlap == 3
    assert paint([], (2, 1)).values.tolist() == [[UNCOVERED, UNCOVERED]]
