"""The API of masks: what is drawn is checked, kept whole, and handed out again as it was."""

import base64
import json
import uuid
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from starlette.testclient import TestClient

from pickwell import tasks
from pickwell.colours import colours
from pickwell.config import Settings
from pickwell.errors import SettingsError
from pickwell.items import Pick
from pickwell.tasks.segmentation.label_maps import MaskFolder, decode, encode
from pickwell.web import Desk, create_app
from pickwell.web.security import BODY, LARGER

WIDTH, HEIGHT, CLASSES = 40, 30, 3
Post = Callable[..., Any]


@pytest.fixture
def streets(make: Callable[..., Path]) -> Iterator[Desk]:
    desk = Desk(make(**{"task.kind": "segmentation", "task.classes": ["road", "sky", "tree"]}))
    desk.store.open_round(number=1, strategy="vaal", seed=0, picks=[Pick(item, item + 1, 0.5) for item in range(6)])
    yield desk
    desk.close()


@pytest.fixture
def page(streets: Desk) -> Iterator[TestClient]:
    with TestClient(create_app(streets, hosts=("testserver",))) as client:
        yield client


@pytest.fixture
def send(page: TestClient) -> Post:
    """Posts as anna at tab t1, with an event of its own."""

    def send(path: str, **body: Any) -> Any:
        common = {"annotator": "anna", "tab": "t1"}
        if path not in ("next", "release"):
            common["event"] = uuid.uuid4().hex
        return page.post(f"/api/{path}", json={**common, **body})

    return send


def _mask(seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).choice(np.array([0, 1, 2, 255], np.uint8), (HEIGHT, WIDTH))


def _packed(mask: NDArray[np.uint8]) -> str:
    return base64.b64encode(zlib.compress(mask.tobytes())).decode()


def test_a_mask_is_on_the_disk_when_it_is_acknowledged(send: Post, streets: Desk) -> None:
    send("next", n=2)
    told = send("masks", item=1, mask=_packed(_mask()), seconds=61.5, via="page")
    assert (told.status_code, told.json()["answered"]) == (200, 1)
    (name,) = streets.store.labels().values
    np.testing.assert_array_equal(decode((streets.campaign.directory.masks / name).read_bytes()), _mask())
    (entry,) = streets.store.log()
    assert (entry.item, entry.annotator, entry.source, entry.seconds) == (1, "anna", "page", 61.5)


def test_the_same_event_again_changes_nothing(send: Post, streets: Desk) -> None:
    send("next", n=2)
    first = send("masks", item=0, mask=_packed(_mask()), event="e1").json()
    again = send("masks", item=0, mask=_packed(_mask()), event="e1").json()
    assert (first["repeated"], again["repeated"]) == (False, True)
    assert send("masks", item=0, mask=_packed(_mask(1)), event="e1").status_code == 422  # the event said another mask
    assert streets.store.position() == 1
    np.testing.assert_array_equal(streets.campaign.task.answer(streets.store.labels().values[0]), _mask())


@pytest.mark.parametrize(
    ("marks", "source"),
    [
        ({}, "api"),
        ({"suggestion_seen": True}, "api, suggestion seen"),
        ({"suggestion_used": True, "via": "page"}, "page, suggestion seen, suggestion used"),
    ],
)
def test_the_label_says_whether_the_prediction_was_used(
    send: Post, streets: Desk, marks: dict[str, Any], source: str
) -> None:
    send("next", n=1)
    send("masks", item=0, mask=_packed(_mask()), **marks)
    assert [entry.source for entry in streets.store.log()] == [source]


def test_what_stands_is_handed_out_as_bytes(send: Post, page: TestClient) -> None:
    send("next", n=2)
    send("masks", item=1, mask=_packed(_mask()))
    found = page.get("/api/masks/1")
    assert found.headers["x-size"] == "40 x 30"
    assert found.content == _mask().tobytes()
    send("masks", item=1, mask=_packed(_mask(1)))  # a correction
    assert page.get("/api/masks/1").content == _mask(1).tobytes()
    assert send("undo").json() == {"items": [1]}
    assert page.get("/api/masks/1").content == _mask().tobytes()
    for item in (0, 2, 99, 2**53 - 1):
        assert page.get(f"/api/masks/{item}").status_code == 404


def test_history_says_how_large_an_image_is(send: Post, page: TestClient) -> None:
    send("next", n=2)
    send("masks", item=1, mask=_packed(_mask()))
    (entry,) = page.get("/api/history?annotator=anna").json()["entries"]
    assert (entry["item"], entry["kind"], entry["width"], entry["height"]) == (1, "answer", 40, 30)


BYTES = _mask().tobytes()
BAD: list[tuple[str, str]] = [
    (_packed(_mask()[:-1]), "1,160 bytes"),
    (base64.b64encode(zlib.compress(BYTES + b"\0")).decode(), "more bytes"),
    (base64.b64encode(zlib.compress(bytes(1 << 24))).decode(), "more bytes"),  # a bomb: 16 MiB of nothing
    (base64.b64encode(zlib.compress(BYTES)[:-5]).decode(), "cut off"),
    (base64.b64encode(zlib.compress(BYTES) + b"more").decode(), "cut off"),
    (base64.b64encode(BYTES).decode(), "cannot be unpacked"),
    (base64.b64encode(encode(_mask())).decode(), "cannot be unpacked"),
    ("", "cut off"),
    ("no base64!", "cannot be unpacked"),
    ("é", "cannot be unpacked"),
    (_packed(np.full((HEIGHT, WIDTH), CLASSES, np.uint8)), r"the values 3 (1,200 pixels)"),
    (_packed(np.full((HEIGHT, WIDTH), 254, np.uint8)), "allows 0 to 2, and 255"),
]


@pytest.mark.parametrize(("mask", "words"), BAD)
def test_what_is_no_mask_of_the_image_is_refused(send: Post, streets: Desk, mask: str, words: str) -> None:
    send("next", n=1)
    answer = send("masks", item=0, mask=mask)
    assert answer.status_code == 422
    assert words in answer.json()["error"]
    assert streets.store.position() == 0
    assert not streets.campaign.directory.masks.exists()


@pytest.mark.parametrize(
    "change", [{"item": -1}, {"item": 12}, {"item": 2**60}, {"item": "x"}, {"mask": None}, {"mask": [1]},
               {"via": "grid"}, {"seconds": -1}, {"event": "a/b"}, {"file": "x"}, {"tab": ""}, {"item": 9}],
)  # fmt: skip
def test_malformed_masks_are_refused(send: Post, streets: Desk, change: dict[str, Any]) -> None:
    send("next", n=1)
    answer = send("masks", **{"item": 0, "mask": _packed(_mask()), **change})
    assert answer.status_code == 422
    assert answer.json()["error"]
    assert streets.store.position() == 0
    assert not streets.campaign.directory.masks.exists()  # nobody fills the disk with what no round asked for


def test_another_ones_image_is_not_drawn_on(send: Post, streets: Desk) -> None:
    send("next", n=2)
    for forged in ({"annotator": "ben"}, {"tab": "t2"}):
        answer = send("masks", item=0, mask=_packed(_mask()), **forged)
        assert answer.status_code == 409
        assert "item 0 is with anna" in answer.json()["error"]
    send("masks", item=0, mask=_packed(_mask()))
    late = send("masks", item=0, mask=_packed(_mask(1)), annotator="ben")
    assert (late.status_code, streets.store.position()) == (409, 1)
    assert "was decided by anna" in late.json()["error"]
    assert len(list(streets.campaign.directory.masks.iterdir())) == 1


def test_a_body_is_bounded_where_masks_go_too(page: TestClient, streets: Desk) -> None:
    most = LARGER["/api/masks"]
    headers = {"Content-Type": "application/json"}
    body = json.dumps({"annotator": "anna", "event": "e", "item": 0, "mask": "A" * (BODY + 10)})
    assert page.post("/api/masks", content=body, headers=headers).status_code == 422  # large enough to be looked at
    assert page.post("/api/answer", content=body, headers=headers).status_code == 413
    assert page.post("/api/masks/", content=body, headers=headers).status_code == 413
    assert page.post("/api/masks", content=b" " * (most + 1), headers=headers).status_code == 413

    def chunks() -> Iterator[bytes]:
        for _ in range(most // 100_000 + 1):
            yield b" " * 100_000

    assert page.post("/api/masks", content=chunks(), headers=headers).status_code == 400
    assert streets.store.position() == 0


def test_a_class_is_no_answer_where_masks_are_drawn(send: Post, streets: Desk) -> None:
    send("next", n=2)
    name = MaskFolder(streets.campaign.directory.masks).put(_mask())
    for label in ("road", name):  # nor is the name of a mask: it might be another image's
        answer = send("answer", items=[0], label=label)
        assert answer.status_code == 422
        assert "send one to /api/masks" in answer.json()["error"]
    assert send("skip", items=[0]).json()["skipped"] == 1
    assert send("ignore", items=[1]).json()["ignored"] == 1


def test_masks_have_no_address_where_classes_are_asked(post: Post) -> None:
    post("next", n=1)
    assert post("masks", item=0, mask=_packed(_mask()), event="e1").status_code == 404


def test_a_prediction_is_handed_out_if_it_fits(send: Post, page: TestClient, streets: Desk) -> None:
    folder = streets.campaign.directory.rounds / "0001"
    folder.mkdir(parents=True)
    (folder / "0.mask.png").write_bytes(encode(_mask()))
    (folder / "1.mask.png").write_bytes(encode(_mask()[:-1]))
    (folder / "2.mask.png").write_bytes(encode(np.full((HEIGHT, WIDTH), CLASSES, np.uint8)))
    (folder / "3.mask.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert [pick["prediction"] for pick in send("next", n=4).json()["picks"]] == [True] * 4
    assert page.get("/api/rounds/1/predictions/0").content == _mask().tobytes()
    for item in (1, 2, 3, 4, 99, 2**53 - 1):
        assert page.get(f"/api/rounds/1/predictions/{item}").status_code == 404
    for path in ("0/predictions/0", "1/predictions/-1", "1/predictions/..%2f0", "1/predictions/0.mask.png"):
        assert 400 <= page.get(f"/api/rounds/{path}").status_code < 500


def test_the_pages_of_masks(page: TestClient) -> None:
    text = page.get("/").text
    assert 'id="stage"' in text
    assert "/static/draw.js" in text
    assert 'href="/grid"' not in text
    assert "Masks are drawn one by one" in page.get("/grid").text
    for path in ("/", "/grid", "/dashboard"):
        shown = page.get(path).text
        assert "<script>" not in shown
        assert " style=" not in shown


def test_masks_are_drawn_by_one_person_each() -> None:
    values = {"name": "x", "task": {"kind": "segmentation", "classes": ["a", "b"]}}
    with pytest.raises(SettingsError, match=r"'serve.overlap' is 2: a mask is drawn by one person.*set it to 1"):
        tasks.of(Settings.parse({**values, "serve": {"overlap": 2}}), Path())


def test_a_class_keeps_its_colour() -> None:
    assert colours(19)[:3] == colours(3)
    assert len(set(colours(48))) == 48
    assert colours(49)[48] == colours(1)[0]


_SIGHTS = {  # what a colour is to people without red, green or blue cones: Machado et al. 2009, severity 1
    "all cones": [[1.0, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}


@pytest.mark.parametrize("sight", _SIGHTS)
@pytest.mark.parametrize(("classes", "apart"), [(11, 0.075), (19, 0.07), (32, 0.05)])
def test_colours_are_told_apart_by_everybody(sight: str, classes: int, apart: float) -> None:
    codes = np.array([[int(one[at : at + 2], 16) / 255 for at in (1, 3, 5)] for one in colours(classes)])
    linear = np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)
    lab = _oklab(np.clip(linear @ np.array(_SIGHTS[sight]).T, 0, 1))
    distances = np.linalg.norm(lab[:, None] - lab[None], axis=2) + 9 * np.eye(classes)
    assert distances.min() >= apart


def _oklab(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    cones = np.array(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
    )
    opponents = np.array(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ]
    )
    found: NDArray[np.float64] = np.cbrt(linear @ cones.T) @ opponents.T
    return found
