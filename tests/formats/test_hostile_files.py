"""Files that are broken or meant to do harm end in one sentence, and nothing is kept."""

import base64
import contextlib
import copy
import json
import re
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pickwell import formats
from pickwell.data import csv_rows
from pickwell.errors import LabelError
from pickwell.formats.exchange import brush, paths
from pickwell.tasks.segmentation.label_maps import encode
from pickwell.testing.format_bench import Bench

READERS = [name for name in formats.available() if hasattr(formats.named(name), "read")]
OF_FILES = ("coco", "csv", "cvat", "fiftyone", "label-studio", "labelme")
KINDS = [(name, kind) for name in READERS for kind in formats.tasks_of(formats.named(name))]


def attempt(bench: Bench, name: str, where: Path, kind: str = "") -> LabelError:
    """The sentence that a file ends in."""
    kind = kind or formats.tasks_of(formats.named(name))[-1]
    with pytest.raises(LabelError) as caught:
        bench.read(name, where, bench.context(kind, ("road", "car")))
    assert "\n" not in str(caught.value)
    assert bench.kept == []
    return caught.value


def test_files_have_a_limit(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    with (bench.root / "large.json").open("wb") as file:
        file.truncate(csv_rows.BYTES + 1)  # sparse: takes no room
    for name in OF_FILES:
        said = str(attempt(bench, name, bench.root / "large.json"))
        assert "too large: 536,870,913 bytes; at most 536,870,912 are read" in said


def test_small_files_of_many_parts_have_a_limit(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "PARTS", 1000)
    (bench.root / "file").write_text("[" + "[]," * 1000 + "[]]")
    assert "has 1,002 lists and objects; at most 1,000 are read" in str(attempt(bench, "coco", bench.root / "file"))
    (bench.root / "file").write_text("<annotations>" + "<tag/>" * 1000 + "</annotations>")
    assert "has more than 1,000 elements; split it" in str(attempt(bench, "cvat", bench.root / "file"))


LAUGHS = """<?xml version="1.0"?><!DOCTYPE annotations [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><annotations><image name="&c;"/></annotations>"""
OUTSIDE = """<!DOCTYPE annotations [<!ENTITY x SYSTEM "file:///etc/passwd">]><annotations>&x;</annotations>"""


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (LAUGHS, "declares a document type"),
        (OUTSIDE, "declares a document type"),
        ('<!DOCTYPE annotations SYSTEM "http://127.0.0.1/x.dtd"><annotations/>', "declares a document type"),
        ("<annotations>&x;</annotations>", "is not XML: undefined entity"),
        ("<annotations><image name='x'>", "is not XML: no element found"),
        ("<html/>", "is <html>, not <annotations>"),
        ("<annotations>" + "<a>" * 100_000, "nested more than 64 deep"),
        ('<annotations><image id="1"/></annotations>', "image 1 of"),
    ],
)
def test_xml_that_would_expand_or_reach_out(bench: Bench, text: str, sentence: str) -> None:
    (bench.root / "a.xml").write_text(text)
    for kind in ("classification", "segmentation"):
        assert sentence in str(attempt(bench, "cvat", bench.root / "a.xml", kind))


@pytest.mark.parametrize("encoding", ["shift_jis", "utf-7", "rot13", "idna", "punycode", "no such one"])
def test_xml_in_an_encoding_that_cannot_be_read(bench: Bench, encoding: str) -> None:
    (bench.root / "a.xml").write_text(f'<?xml version="1.0" encoding="{encoding}"?><annotations/>')
    assert "a.xml is not XML: " in str(attempt(bench, "cvat", bench.root / "a.xml"))


def png(width: int, height: int, depth: int = 8, colour: int = 0, data: bytes = b"") -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


FOUR = np.zeros((4, 4), dtype=np.uint8)
PICTURES = {
    "": "no PNG",
    "bomb": "100000 x 100000 pixels",
    "deep": "16 bits",
    "colour": "RGB",
    "cut": "damaged PNG",
    "other size": "the mask|pixels, the image 4 x 4",
    "jpeg": "no PNG",
    "values": "the values 7",
}


def picture(which: str) -> bytes:
    return {
        "": b"",
        "bomb": png(100_000, 100_000),
        "deep": png(4, 4, 16, 0, b"\0" * 36),
        "colour": png(4, 4, 8, 2, b"\0" * 52),
        "cut": encode(np.arange(16, dtype=np.uint8).reshape(4, 4) % 2)[:50],
        "other size": encode(np.zeros((5, 4), dtype=np.uint8)),
        "jpeg": b"\xff\xd8\xff\xe0" + b"\0" * 20,
        "values": encode(FOUR + 7),
    }[which]


@pytest.mark.parametrize("which", PICTURES)
def test_masks_that_are_none(bench: Bench, which: str) -> None:
    (bench.root / "in").mkdir()
    (bench.root / "in" / "b c.png").write_bytes(picture(which))
    said = str(attempt(bench, "masks", bench.root / "in"))
    assert said.startswith("the file: labels that do not fit: 1 (b c: ")
    assert re.search(PICTURES[which], said)


@pytest.mark.parametrize("which", [which for which in PICTURES if which not in ("colour", "values", "deep")])
def test_colour_masks_that_are_none(bench: Bench, which: str) -> None:
    (bench.root / "label_colors.txt").write_text("0 0 0 road\n128 0 0 car\n")
    (bench.root / "b c_L.png").write_bytes(picture(which))
    said = str(attempt(bench, "camvid", bench.root))
    assert said.startswith("the file: labels that do not fit: 1 (b c: ")


def test_a_table_of_colours_has_a_limit(bench: Bench) -> None:
    (bench.root / "label_colors.txt").write_text("0 0 0 road\n" * 65_535)
    (bench.root / "b c_L.png").write_bytes(encode(FOUR))
    assert "the table has 65,535 colours" in str(attempt(bench, "camvid", bench.root))


def test_a_link_in_a_mask_folder_leads_nowhere_new(bench: Bench) -> None:
    (bench.root / "in").mkdir()
    (bench.root / "in" / "b c.png").symlink_to("/etc/passwd")
    (bench.root / "in" / "loop").symlink_to(bench.root / "in")
    assert "no PNG" in str(attempt(bench, "masks", bench.root / "in"))


def test_yolo_names_do_not_take_for_ever(bench: Bench) -> None:
    (bench.root / "labels").mkdir()
    for text in (
        "names:\n- a" + " " * 300_000 + "'\n",
        "names:\n- 'a'" + " " * 300_000 + "x\n",
        "names: [" + "a " * 100_000 + "'",
        "names:" + " " * 300_000 + "x",
    ):
        (bench.root / "data.yaml").write_text(text)
        assert "data.yaml has" in str(attempt(bench, "yolo", bench.root))


RUNS = {"size": [4, 4], "counts": "0`0"}
COCO: dict[str, Any] = {
    "images": [{"id": 1, "file_name": "b c.png", "width": 4, "height": 4, "labelled": True}],
    "categories": [{"id": 1, "name": "road"}],
    "annotations": [
        {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [[0, 0, 4, 0, 4, 4]]},
        {"id": 2, "image_id": 1, "category_id": 1, "segmentation": {"size": [4, 4], "counts": [0, 16]}},
        {"id": 3, "image_id": 1, "category_id": 1, "segmentation": RUNS},
    ],
}
BRUSH = {"format": "rle", "rle": brush.encode(FOUR == 0), "brushlabels": ["car"]}
SIZE = {"original_width": 4, "original_height": 4, "image_rotation": 0}
POINTS = {"points": [[0, 0], [100, 0], [100, 100]], "polygonlabels": ["road"]}
STUDIO: list[Any] = [
    {
        "id": 1,
        "data": {"image": "/data/local-files/?d=b%20c.png"},
        "annotations": [
            {
                "completed_by": {"email": "a"},
                "lead_time": 1.5,
                "was_cancelled": False,
                "result": [
                    {"type": "choices", "value": {"choices": ["car"]}},
                    {"type": "brushlabels", "value": BRUSH, **SIZE},
                    {"type": "polygonlabels", "value": POINTS, **SIZE},
                ],
            }
        ],
    }
]
FIFTYONE = {"classes": ["road", "car"], "labels": {"b c": 1, "déjà": {"label": "car"}, "train/a": "road"}}
PICTURE = {"shape_type": "mask", "points": [[0, 0], [3, 3]], "mask": base64.b64encode(encode(FOUR)).decode()}
LABELME = {
    "flags": {"road": True, "car": False},
    "shapes": [
        {"label": "road", "points": [[0, 0], [4, 0], [4, 4]], "shape_type": "polygon"},
        {"label": "car", "points": [[1, 1], [3, 2.5]], "shape_type": "rectangle"},
        {"label": "car", **PICTURE},
    ],
    "imagePath": "b c.png",
    "imageHeight": 4,
    "imageWidth": 4,
}
DOCUMENTS: dict[str, Any] = {"coco": COCO, "label-studio": STUDIO, "fiftyone": FIFTYONE, "labelme": LABELME}


def places(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all values in a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [here, *(path for key, part in inner for path in places(part, (*here, key)))]


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([1e308, -1e308, "", "road", "../../x", "\x00", "\ud800", "0" * 100, "////", "https://[", 2**63])
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize("name", DOCUMENTS)
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_document_with_anything_in_any_place(name: str, bench: Bench, data: st.DataObject) -> None:
    document = {"": copy.deepcopy(DOCUMENTS[name])}
    for _ in range(data.draw(st.integers(1, 2))):
        *path, last = data.draw(st.sampled_from(places(document)[1:]))
        at: Any = document
        for key in path:
            at = at[key]
        at[last] = data.draw(ANYTHING)
    (bench.root / "file.json").write_text(json.dumps(document[""]))
    for kind in formats.tasks_of(formats.named(name)):
        only_labels_or_a_sentence(bench, name, bench.root / "file.json", kind)


def only_labels_or_a_sentence(bench: Bench, name: str, where: Path, kind: str) -> None:
    context = bench.context(kind, ("road", "car"))
    with contextlib.suppress(LabelError):
        gathered = bench.gather(formats.named(name).read(where, context), context, skip=True)
        assert all(0 <= label.item < 4 for label in gathered.labels)
        assert all(set(np.unique(mask)) <= {0, 1, 255} for mask in bench.kept)


def test_the_documents_are_right_before_they_are_spoilt(bench: Bench) -> None:
    for name, document in DOCUMENTS.items():
        (bench.root / name).write_text(json.dumps(document))
        for kind in formats.tasks_of(formats.named(name)):
            assert bench.read(name, bench.root / name, bench.context(kind, ("road", "car"))), name


CVAT = """<annotations><image id="0" name="b c.png" width="4" height="4"><tag label="car"/>
<mask label="car" rle="0, 4" left="1" top="0" width="2" height="2" z_order="5"/>
<polygon label="road" points="0.0,0.0;4.0,0.0;4.0,1.0" z_order="1"/></image></annotations>"""


@pytest.mark.parametrize("far", ["1" + "0" * 400, "1e308", "1e999", "-1e10"])
@pytest.mark.parametrize(("name", "document"), [("coco", COCO), ("label-studio", STUDIO)])
def test_polygons_farther_away_than_numbers_go(bench: Bench, name: str, document: Any, far: str) -> None:
    text = json.dumps(document).replace("[[0, 0, 4, 0, 4, 4]]", f"[[{far}, 0, 4, 0, 4, 4]]")
    (bench.root / "file").write_text(text.replace("[100, 0]", f"[{far}, 0]"))
    assert far in (bench.root / "file").read_text()
    assert "labels that do not fit: 1" in str(attempt(bench, name, bench.root / "file"))


def test_two_coco_images_of_one_id(bench: Bench) -> None:
    (bench.root / "file").write_text(
        json.dumps({**COCO, "images": [*COCO["images"], {"id": 1, "file_name": "déjà.png"}]})
    )
    assert "two images have the id 1" in str(attempt(bench, "coco", bench.root / "file"))


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(number=st.integers(0, 14), value=st.text(max_size=12) | st.from_regex(r"\A[-0-9.,; e]{0,12}\Z"))
@example(number=6, value="--5")
@example(number=7, value="٣")
@example(number=5, value="0, 99999999999999999999")
@example(number=12, value="nan,0;0,0;1,1")
def test_cvat_with_anything_in_any_attribute(bench: Bench, number: int, value: str) -> None:
    pieces = re.split(r'"([^"]*)"', CVAT)
    pieces[2 * (number % (len(pieces) // 2)) + 1] = value.translate({ord(sign): None for sign in '"<&'})
    text = "".join(f'"{piece}"' if place % 2 else piece for place, piece in enumerate(pieces))
    (bench.root / "a.xml").write_bytes(text.encode("utf-8", "replace"))
    for kind in ("classification", "segmentation"):
        only_labels_or_a_sentence(bench, "cvat", bench.root / "a.xml", kind)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(line=st.text(max_size=40) | st.from_regex(r"\A[0-9. e\-]{0,40}\Z"), names=st.text(max_size=40))
def test_yolo_with_anything_on_a_line(bench: Bench, line: str, names: str) -> None:
    (bench.root / "labels").mkdir(exist_ok=True)
    for file, text in (("labels/b c.txt", line), ("data.yaml", f"names: [road, car]\n{names}")):
        (bench.root / file).write_bytes(text.encode("utf-8", "replace"))
    only_labels_or_a_sentence(bench, "yolo", bench.root, "segmentation")
    (bench.root / "data.yaml").write_bytes(f"names:{names}".encode("utf-8", "replace"))
    only_labels_or_a_sentence(bench, "yolo", bench.root, "segmentation")


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=80))
def test_csv_of_any_bytes(bench: Bench, data: bytes) -> None:
    (bench.root / "a.csv").write_bytes(b"image,label\n" + data)
    for kind in ("classification", "segmentation"):
        only_labels_or_a_sentence(bench, "csv", bench.root / "a.csv", kind)


@pytest.mark.parametrize("odd", ["\ud800", "\x00", "a\nb", "\x1b[2J", "x" * 100_000, "../" * 1000, "\u202e", "C:"])
def test_odd_names_are_only_names(bench: Bench, odd: str) -> None:
    for name, document in (("coco", COCO), ("label-studio", STUDIO), ("fiftyone", FIFTYONE)):
        text = json.dumps(document).replace("b c.png", "NAME").replace("b%20c.png", "NAME").replace("b c", "NAME")
        (bench.root / "file").write_text(text.replace("NAME", json.dumps(odd)[1:-1]))
        said = str(attempt(bench, name, bench.root / "file"))
        assert "images that the pool does not have: 1" in said
        assert len(said) < 2000
