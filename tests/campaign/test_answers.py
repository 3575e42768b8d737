"""What may be said of an item is the same by whatever way it is said."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pickwell.campaign.open_campaign import OpenCampaign
from pickwell.errors import LabelError
from pickwell.items import Kind, Label
from pickwell.tasks.segmentation.label_maps import encode
from pickwell.web.desk import Desk, Who

MASK = np.array([[0, 1, 2, 255] * 3] * 8, np.uint8)
ANNA = Who("anna", "t1")


@pytest.fixture
def classes(make: Callable[..., Path]) -> Iterator[OpenCampaign]:
    with OpenCampaign(make()) as opened:
        yield opened


@pytest.fixture
def masks(make: Callable[..., Path]) -> Iterator[OpenCampaign]:
    with OpenCampaign(make("segmentation")) as opened:
        yield opened


@pytest.mark.parametrize("sign", ["\n", "\x7f", "\u202e", "\u2066"])
def test_a_person_s_name_cannot_steer_a_screen(classes: OpenCampaign, sign: str) -> None:
    with pytest.raises(
        LabelError, match=r"annotator 'a\\[nux][0-9a-f]*b': a name has no control characters and no marks"
    ):
        classes.tell([Label(0, "road", annotator=f"a{sign}b")])
    assert len(classes.store.labels()) == 0


@pytest.mark.parametrize(
    ("item", "answer", "sentence"),
    [
        (0, "raod", "item 0: unknown class 'raod'; did you mean 'road'?"),
        (0, MASK, "item 0: a mask is no answer to classification; name one of its classes"),
        (0, None, "an answer needs a label, skip and ignore have none"),
        (6, "road", "unknown item 6; the pool holds items 0 to 5"),
        (-1, "road", "unknown item -1; the pool holds items 0 to 5"),
    ],
)
def test_python_and_page_refuse_an_answer_with_one_sentence(
    classes: OpenCampaign, item: int, answer: Any, sentence: str
) -> None:
    desk = Desk(classes.directory.root)
    ways: list[Callable[[], object]] = [
        lambda: classes.tell({1: "road", item: answer}, imported=True),
        lambda: desk.tell(ANNA, [item], Kind.ANSWER, answer, "e"),
        lambda: classes.answers.check([item], Kind.ANSWER, answer),
    ]
    for way in ways:
        with pytest.raises(LabelError, match=re.escape(sentence)):
            way()
    assert classes.store.position() == 0
    desk.close()


@pytest.mark.parametrize(
    ("mask", "sentence"),
    [
        (MASK[1:], "item 2: the mask is 12 x 7 pixels, its image 12 x 8"),
        (MASK + np.uint8(1), "item 2: the mask has the values 3 (24 pixels)"),
        (MASK.astype(np.int64), "item 2: a mask is an array of int64"),
    ],
)
def test_no_mask_is_kept_of_a_tell_that_is_refused(masks: OpenCampaign, mask: Any, sentence: str) -> None:
    desk = Desk(masks.directory.root)
    with pytest.raises(LabelError, match=re.escape(sentence)):
        masks.tell({1: MASK, 2: mask})
    with pytest.raises(LabelError, match=re.escape(sentence)):
        desk.tell(ANNA, [2], Kind.ANSWER, mask, "e")
    with pytest.raises(LabelError, match="item 2: 'road' is no mask in"):
        masks.tell({1: MASK, 2: "road"})
    assert (masks.store.position(), masks.directory.masks.exists()) == (0, False)
    desk.close()


def test_a_mask_is_the_same_as_an_array_a_name_a_file_and_drawn(masks: OpenCampaign, tmp_path: Path) -> None:
    (tmp_path / "drawn.png").write_bytes(encode(MASK))
    desk = Desk(masks.directory.root)
    masks.tell({0: MASK})
    name = masks.store.labels().values[0]
    masks.tell({1: name})
    masks.tell([Label(2, "drawn.png", annotator="ben", seconds=2.0)], files=tmp_path)
    desk.tell(ANNA, [3], Kind.ANSWER, MASK, "e", seconds=4.0)
    assert masks.store.labels().values == [name] * 4
    said = [(entry.annotator, entry.seconds) for entry in masks.store.log()]
    assert said == [("", None), ("", None), ("ben", 2.0), ("anna", 4.0)]
    assert np.array_equal(masks.task.answer(name), MASK)
    assert [path.name for path in masks.directory.masks.iterdir()] == [name]
    desk.close()


def test_what_is_no_answer_needs_no_value(masks: OpenCampaign) -> None:
    told = masks.tell([Label(0, None, Kind.SKIP), Label(1, None, Kind.IGNORE)])
    assert (told.answered, told.skipped, told.ignored) == (0, 1, 1)
    with pytest.raises(LabelError, match="unknown item 9"):
        masks.tell([Label(9, None, Kind.SKIP)])
