"""COCO's, CVAT's and Label Studio's run lengths: their examples, any region, and others' code."""

import contextlib
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from pickwell.errors import LabelError
from pickwell.formats.exchange import brush
from pickwell.formats.exchange.run_lengths import (
    Region,
    coco_counts,
    coco_decode,
    coco_encode,
    cvat_decode,
    cvat_encode,
    from_runs,
    runs_of,
)

REGIONS = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=40))


def region(*rows: str) -> Region:
    return np.array([[sign == "#" for sign in row] for row in rows])


def test_runs_begin_with_what_is_outside() -> None:
    assert runs_of(np.array([True, True, False])).tolist() == [0, 2, 1]
    assert runs_of(np.array([False, True])).tolist() == [1, 1]
    assert from_runs([0, 2, 1], 3, "x").tolist() == [True, True, False]


def test_coco_goes_down_the_columns_and_writes_differences() -> None:
    drawn = region("..#", "#.#")  # columns: .# .. ##, so runs 1 1 2 2
    assert coco_counts(coco_encode(drawn), "x") == [1, 1, 2, 2]
    assert coco_encode(drawn) == "1121"  # the fourth run is written as 2 - 1
    assert coco_decode([1, 1, 2, 2], (3, 2), "x").tolist() == drawn.tolist()


def test_cvat_goes_along_the_rows_inside_the_box() -> None:
    drawn = region("....", "..#.", ".##.")
    assert cvat_encode(drawn) == ([1, 3], (1, 1, 2, 2))
    assert cvat_decode([1, 3], (1, 1, 2, 2), (4, 3), "x").tolist() == drawn.tolist()


def test_label_studio_writes_these_very_bits() -> None:
    # 128 x 96: the length 49,152, words of 8 bits, run lengths of 3, 4, 8 and 16 bits, then 10,360 bytes of nothing.
    drawn = np.zeros((96, 128), dtype=np.bool_)
    drawn[20:50, 30:70] = True
    assert brush.encode(drawn)[:9] == [0, 0, 192, 0, 57, 27, 255, 40, 119]
    # One pixel is four words: a run (1) of the shortest kind (00), 4 less 1 (011), of 255; then zeros.
    assert brush.encode(region("#")) == [0, 0, 0, 4, 57, 27, 0b11111_100, 0b011_11111, 0b111_00000]


def test_label_studio_single_words_are_read_too() -> None:
    assert brush.decode(words_one_by_one(1, 2, 3, 200), (1, 1), "x").tolist() == [[True]]
    assert brush.decode(words_one_by_one(255, 255, 255, 127), (1, 1), "x").tolist() == [[False]]


def words_one_by_one(*words: int) -> list[int]:
    header = f"{4:032b}" + "00111" + "0010" + "0011" + "0111" + "1111"
    bits = header + "0" + "00" + "011" + "".join(f"{word:08b}" for word in words)
    bits += "0" * (-len(bits) % 8)
    return list(int(bits, 2).to_bytes(len(bits) // 8, "big"))


@settings(deadline=None)
@given(drawn=REGIONS)
def test_any_region_comes_back(drawn: Region) -> None:
    height, width = drawn.shape
    assert (coco_decode(coco_encode(drawn), (width, height), "x") == drawn).all()
    assert (brush.decode(brush.encode(drawn), (width, height), "x") == drawn).all()
    if drawn.any():
        assert (cvat_decode(*cvat_encode(drawn), (width, height), "x") == drawn).all()


def test_runs_longer_than_65536_bytes_come_back() -> None:
    for shape in ((128, 128), (128, 129), (300, 400)):  # 4 * 128 * 128 bytes are one longest run exactly
        drawn = np.ones(shape, dtype=np.bool_)
        assert brush.decode(brush.encode(drawn), shape[::-1], "x").all()


@settings(deadline=None)
@given(drawn=REGIONS)
def test_coco_reads_ours_and_we_read_theirs(drawn: Region) -> None:
    coco = pytest.importorskip("pycocotools.mask")
    theirs = coco.encode(np.asfortranarray(drawn.astype(np.uint8)))
    assert theirs["counts"].decode() == coco_encode(drawn)
    assert coco.area({"size": list(drawn.shape), "counts": coco_encode(drawn)}) == drawn.sum()


@settings(deadline=None, max_examples=30)
@given(drawn=REGIONS)
def test_label_studio_writes_the_same(drawn: Region) -> None:
    theirs = pytest.importorskip("label_studio_sdk.converter.brush")
    assert theirs.mask2rle(drawn.astype(np.uint8) * 255) == brush.encode(drawn)


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        ("112", "runs that come to 4 pixels, not 6"),
        ("1121112111", "pixels, not 6"),
        ("1~21", "no COCO run lengths (at '~')"),
        ("1é", "no COCO run lengths"),
        ("oooooooooo1", "no COCO run lengths"),
        ("112P", "end in the middle of a number"),
        ("", "runs that come to 0 pixels"),
        ([1, -1, 6], "pixels, not 6"),
        ([2**63 - 1, 2**63 - 1, 8], "pixels, not 6"),
        ([2**70], "no whole numbers"),
        ([1.0, 5.0], "neither a text nor a list of whole numbers"),
        ([True] * 6, "neither a text nor a list"),
        (None, "neither a text nor a list"),
        ([[1], [5]], "neither a text nor a list"),
    ],
)
def test_wrong_coco_counts_are_told(counts: object, sentence: str) -> None:
    with pytest.raises(LabelError, match=re.escape(sentence)):
        coco_decode(counts, (3, 2), "x")


@pytest.mark.parametrize(
    ("rle", "sentence"),
    [
        ([], "ends in the middle"),
        ([0, 0, 0, 8], "a brush for 2 pixels, not 1 x 1"),
        ([255, 255, 255, 255, 57, 27], "a brush for 1,073,741,824 pixels, not 1 x 1"),
        ([0, 0, 0, 4, 57, 27], "ends in the middle"),
        ([0, 0, 0, 4, 0, 27, 255], "words that are not bytes"),
        ([0, 0, 0, 4, 57, 27, 255, 255, 255, 255], "longer than the picture"),
        ([256], "no bytes"),
        (["a"], "no bytes"),
    ],
)
def test_wrong_brushes_are_told(rle: list[int], sentence: str) -> None:
    with pytest.raises(LabelError, match=re.escape(sentence)):
        brush.decode(rle, (1, 1), "x")


@settings(deadline=None)
@given(rle=st.lists(st.integers(0, 255), max_size=60), header=st.booleans())
def test_no_brush_ends_in_anything_but_a_sentence(rle: list[int], header: bool) -> None:
    data = [0, 0, 1, 0, 57, 27, 255] * header + rle
    with contextlib.suppress(LabelError):
        assert brush.decode(data, (8, 8), "x").shape == (8, 8)


def test_a_cvat_mask_outside_its_image_is_told() -> None:
    for box in ((-1, 0, 2, 2), (3, 0, 2, 2), (0, 2, 2, 2), (0, 0, 0, 2)):
        with pytest.raises(LabelError, match="outside the image of 4 x 3"):
            cvat_decode([0, 4], box, (4, 3), "x")
