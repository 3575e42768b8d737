"""What is unknown is counted and listed, refused or left out by a flag, never guessed."""

import re

import numpy as np
import pytest

from pickwell.errors import LabelError
from pickwell.formats.exchange.found import UNCOVERED, Codes, Found
from pickwell.formats.importing import check_background, rename_of
from pickwell.items import Kind, Label
from pickwell.testing.format_bench import Bench


def area(*rows: list[int], names: dict[int, str | None] | None = None) -> Codes:
    return Codes(np.array(rows, dtype=np.uint8), names or {0: "road", 1: "car", 2: "moon", 255: None})


def found(name: str, codes: Codes) -> Found:
    return Found(name, load=lambda _: codes)


FOUR = [0, 1, 0, 255]


def test_right_labels_are_labels(bench: Bench) -> None:
    context = bench.context("classification", ("cat", "dog"))
    gathered = bench.gather(
        [Found("train/a", "cat", annotator="ann", seconds=2.5), Found("", "dog", item=2)],
        context,
    )
    assert gathered.labels == [Label(0, "cat", annotator="ann", seconds=2.5), Label(2, "dog")]
    assert not gathered.problems


def test_all_that_is_wrong_is_counted_and_listed(bench: Bench) -> None:
    context = bench.context("classification", ("cat", "dog"))
    wrong = [
        *(Found(f"{n}.jpg", "cat") for n in range(7)),
        Found("a", "cat"),
        Found("b c", "cta"),
        Found("déjà", problem="it has 2 tags"),
        Found("train/a", "dog"),
        Found("train/a.jpg", "cat"),
    ]
    sentence = (
        "the file: images that the pool does not have: 7 (0.jpg, 1.jpg, 2.jpg, 3.jpg, 4.jpg, and 2 more); "
        "names that fit several images: 1 (a); "
        "labels of a class that the campaign does not have: 1 (unknown class 'cta'; did you mean 'cat'? "
        "Available: cat, dog); "
        "labels that do not fit: 1 (déjà: it has 2 tags); "
        "images with two labels: 1 (train/a.jpg); nothing was kept: correct these"
    )
    with pytest.raises(LabelError, match=re.escape(sentence)):
        bench.gather(wrong, context)
    with pytest.raises(LabelError, match="the file holds no label that can be used: images that the pool"):
        bench.gather(wrong, context, skip=True)
    gathered = bench.gather([*wrong, Found("sub/a.jpg", "dog")], context, skip=True)
    assert gathered.labels == [Label(3, "dog")]
    assert list(map(len, gathered.problems.values())) == [7, 1, 1, 1, 1]


def test_the_same_label_twice_is_one(bench: Bench) -> None:
    context = bench.context("classification", ("cat", "dog"))
    assert bench.gather([Found("b c", "cat"), Found("train/b c.png", "cat")], context).labels == [Label(1, "cat")]


def test_two_label_maps_of_one_image_are_never_chosen_from(bench: Bench) -> None:
    context = bench.context("segmentation", ("road", "car"))
    both = [found("b c", area(*[FOUR] * 4)), found("train/b c", area(*[FOUR] * 4))]
    with pytest.raises(LabelError, match=r"images with two labels: 1 \(train/b c\)"):
        bench.gather(both, context)
    assert bench.kept == []


def test_nothing_is_kept_before_everything_is_known_to_be_right(bench: Bench) -> None:
    context = bench.context("segmentation", ("road", "car"))
    right, wrong = found("b c", area(*[FOUR] * 4)), found("déjà", area(*[FOUR] * 4))
    with pytest.raises(LabelError, match=r"labels that do not fit: 1 \(déjà: it is 4 x 4 pixels, the image 1 x 1\)"):
        bench.gather([right, wrong], context)
    assert bench.kept == []
    assert [label.item for label in bench.gather([right, wrong], context, skip=True).labels] == [1]
    assert [mask.tolist() for mask in bench.kept] == [[FOUR] * 4]


def test_areas_of_other_classes_are_refused_or_ignored_by_flag(bench: Bench) -> None:
    context = bench.context("segmentation", ("car", "road"))
    one = found("b c", area([0, 1, 2, 2], FOUR, FOUR, FOUR))
    sentence = r"label maps with a class that the campaign does not have: 1 \('moon' in b c, 2 pixels\)"
    with pytest.raises(LabelError, match=sentence):
        bench.gather([one], context)
    assert len(bench.gather([one], context, skip=True).labels) == 1
    assert bench.kept[0].tolist() == [[1, 0, 255, 255], *[[1, 0, 1, 255]] * 3]
    bench.gather([one], context, rename={"moon": "road"})
    assert bench.kept[0].tolist()[0] == [1, 0, 1, 1]
    bench.gather([one], context, rename={"moon": ""})
    assert bench.kept[0].tolist()[0] == [1, 0, 255, 255]


def test_a_map_of_nothing_but_other_classes_is_left_out(bench: Bench) -> None:
    context = bench.context("segmentation", ("car", "road"))
    moon, void = found("b c", area(*[[2] * 4] * 4)), found("déjà", area([255]))
    assert [label.item for label in bench.gather([moon, void], context, skip=True).labels] == [2]


def test_values_that_are_no_class_are_counted(bench: Bench) -> None:
    context = bench.context("segmentation", ("car", "road"))
    sentence = r"b c: it has the values 7 \(3 pixels\), 9 \(1 pixels\), which are no class there"
    with pytest.raises(LabelError, match=sentence):
        bench.gather([found("b c", area([7, 7, 7, 9], FOUR, FOUR, FOUR))], context)


def test_more_classes_than_a_byte_has(bench: Bench) -> None:
    """A file of 1,000 classes: those that the campaign has are found at their places."""
    values = np.arange(16, dtype=np.uint16).reshape(4, 4) + 500
    values[3, 3] = UNCOVERED
    names: dict[int, str | None] = {code: f"c{code}" for code in range(1000)} | {UNCOVERED: None}
    context = bench.context("segmentation", ("c514", "c500"))
    bench.gather([found("b c", Codes(values, names))], context, skip=True)
    expected = np.full((4, 4), 255)
    expected[0, 0], expected[3, 2] = 1, 0
    assert bench.kept[0].tolist() == expected.tolist()


def test_a_skip_takes_no_answer_back(bench: Bench) -> None:
    context = bench.context("classification", ("cat", "dog"))
    said = [Found("b c", kind=Kind.SKIP), Found("déjà", kind=Kind.SKIP), Found("train/a", kind=Kind.IGNORE)]
    gathered = bench.gather(said, context, decided=[0, 2])
    assert gathered.labels == [Label(1, None, Kind.SKIP), Label(0, None, Kind.IGNORE)]


def test_overlap_is_reported(bench: Bench) -> None:
    context = bench.context("segmentation", ("road", "car"))
    one = Codes(np.array([FOUR] * 4, dtype=np.uint8), {0: "road", 1: "car", 255: None}, overlap=3)
    gathered = bench.gather([found("b c", one)], context)
    assert (gathered.overlap, gathered.pixels) == (3, 16)


def test_renaming_goes_from_there_to_here(bench: Bench) -> None:
    context = bench.context("classification", ("cat", "dog"))
    assert rename_of(["a=b=cat", "x = dog", "void="], context) == {"a=b": "cat", "x": "dog", "void": ""}
    for pair, sentence in (("cat", "as --rename THERE=HERE"), ("=cat", "THERE=HERE"), ("x=kat", "did you mean 'cat'")):
        with pytest.raises(LabelError, match=re.escape(f"--rename {pair}") + ".*" + re.escape(sentence)):
            rename_of([pair], context)


def test_a_background_is_a_class_of_masks(bench: Bench) -> None:
    check_background(None, bench.context("classification", ("cat", "dog")))
    check_background("cat", bench.context("segmentation", ("cat", "dog")))
    with pytest.raises(LabelError, match="--background: unknown class 'sky'"):
        check_background("sky", bench.context("segmentation", ("cat", "dog")))
    with pytest.raises(LabelError, match="--background is for masks"):
        check_background("cat", bench.context("classification", ("cat", "dog")))
