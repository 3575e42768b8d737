"""YOLO and labelme: as they write it, and as they want it."""

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pickwell import formats
from pickwell.data.pool import Pool
from pickwell.errors import LabelError
from pickwell.tasks.segmentation.label_maps import encode
from pickwell.testing.format_bench import Bench

CLASSES = ("road", 'the "car"')
INNER = base64.b64encode(encode(np.array([[1, 0], [1, 1]], dtype=np.uint8))).decode()
I = 255  # noqa: E741


def test_yolo_has_images_and_labels_side_by_side(bench: Bench) -> None:
    context = bench.context("segmentation", CLASSES)
    masks = [np.full(bench.size(item)[::-1], I, dtype=np.uint8) for item in range(4)]
    masks[1][:2] = [[0, 0, 1, 1], [0, 0, I, 1]]
    formats.named("yolo").write(bench.root / "out", bench.labelled(masks), context)
    files = sorted(path.relative_to(bench.root / "out").as_posix() for path in (bench.root / "out").rglob("*.*"))
    assert files == [
        *("data.yaml", "images/train/a.jpg", "images/train/b c.png", "images/val/déjà.png", "images/val/sub/a.jpg"),
        *("labels/train/a.txt", "labels/train/b c.txt", "labels/val/déjà.txt", "labels/val/sub/a.txt"),
    ]
    assert (bench.root / "out/images/train/b c.png").is_symlink()
    assert (bench.root / "out/labels/train/b c.txt").read_text() == (
        "0 0.000000 0.000000 0.500000 0.000000 0.500000 0.500000 0.000000 0.500000\n"
        "1 0.500000 0.000000 1.000000 0.000000 1.000000 0.500000 "
        "0.750000 0.500000 0.750000 0.250000 0.500000 0.250000\n"
    )
    assert (bench.root / "out/data.yaml").read_text().splitlines() == [
        "train: images/train",
        "val: images/val",
        "# Also the images without a polygon are labelled.",
        "labelled: true",
        "names:",
        '  0: "road"',
        r'  1: "the \"car\""',
    ]


def test_yolo_takes_the_only_split_for_both(bench: Bench) -> None:
    context = replace(bench.context("segmentation", CLASSES), copies=True)
    masks = [np.zeros((1, 1), dtype=np.uint8)]
    formats.named("yolo").write(bench.root / "out", bench.labelled(masks, first=2), context)
    assert (bench.root / "out/data.yaml").read_text().startswith("train: images/val\nval: images/val\n")
    assert (bench.root / "out/images/val/déjà.png").read_bytes() == bench.pool.bytes(2)
    assert not (bench.root / "out/images/val/déjà.png").is_symlink()


def test_yolo_classes_are_folders_of_a_split(bench: Bench) -> None:
    context = bench.context("classification", ("cat", "dog"))
    formats.named("yolo").write(bench.root / "out", bench.labelled(["dog", "cat", "cat", "dog"]), context)
    links = sorted(path.relative_to(bench.root / "out").as_posix() for path in (bench.root / "out").rglob("*.*"))
    assert links == ["train/cat/b c.png", "train/dog/a.jpg", "val/cat/déjà.png", "val/dog/sub/a.jpg"]


def test_yolo_classes_of_a_pool_that_lies_so_itself(tmp_path: Path) -> None:
    """The pool is the data set: its names hold the class's folder."""
    for number, name in enumerate(("train/cat/1.png", "train/dog/1.png", "valid/dog/2.png")):
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (2, 2), number).save(tmp_path / "set" / name)
    bench = Bench(Pool.create(tmp_path / "pool", tmp_path / "set"), tmp_path)
    context = bench.context("classification", ("cat", "dog"))
    found = bench.read("yolo", tmp_path / "set", context)
    assert {bench.names[item]: label for item, label in found.items()} == {
        "train/cat/1.png": "cat",
        "train/dog/1.png": "dog",
        "valid/dog/2.png": "dog",
    }
    (tmp_path / "none").mkdir()
    with pytest.raises(LabelError, match="holds no folder train, val or test; name the folder that these are in"):
        bench.read("yolo", tmp_path / "none", context)


def labelme(bench: Bench, **changes: Any) -> Path:
    """A file as labelme 5 writes it, in a folder beside that of the images."""
    shape: dict[str, Any] = {"group_id": None, "description": "", "flags": {}, "mask": None}
    shapes = [
        {**shape, "label": "road", "points": [[0.0, 0.0], [4.0, 0.0], [4.0, 2.0], [0.0, 2.0]], "shape_type": "polygon"},
        {**shape, "label": "car", "points": [[3.9, 3.9], [2.2, 1.1]], "shape_type": "rectangle"},
        {
            **shape,
            "label": "car",
            "points": [[0.0, 2.0], [1.0, 3.0]],
            "shape_type": "mask",
            "mask": INNER,
        },
    ]
    file: dict[str, Any] = {"version": "5.5.0", "flags": {"indoor": False, "outdoor": True}, "shapes": shapes}
    file |= {"imagePath": "..\\train\\b c.png", "imageData": "", "imageHeight": 4, "imageWidth": 4, **changes}
    (bench.root / "in").mkdir(exist_ok=True)
    (bench.root / "in" / "b c.json").write_text(json.dumps(file))
    return bench.root / "in"


def test_labelme_shapes_lie_over_one_another_in_order(bench: Bench) -> None:
    context = bench.context("segmentation", ("road", "car"))
    expected = [[0, 0, 0, 0], [0, 0, 1, 1], [1, I, 1, 1], [1, 1, 1, 1]]
    assert bench.maps("labelme", labelme(bench), context) == {1: expected}
    assert bench.maps("labelme", labelme(bench) / "b c.json", context) == {1: expected}


def test_labelme_flags_are_classes(bench: Bench) -> None:
    context = bench.context("classification", ("indoor", "outdoor"))
    assert bench.read("labelme", labelme(bench), context) == {1: "outdoor"}
    with pytest.raises(LabelError, match=r"train/b c\.png: it has 2 flags; a class is exactly one"):
        bench.read("labelme", labelme(bench, flags={"indoor": True, "outdoor": True}), context)
    with pytest.raises(LabelError, match="holds no label that can be used"):
        bench.read("labelme", labelme(bench, flags={"indoor": False}), context)


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [
        ({"shape_type": "circle", "points": [[0, 0], [1, 1]]}, "it has a shape of type 'circle'; only polygons, rect"),
        ({"shape_type": "polygon", "points": [[0, 0], [1, 1]]}, "a polygon has 2 points; it needs at least 3"),
        ({"shape_type": "rectangle", "points": [[0, 0]]}, "a rectangle has 1 points; it needs 2"),
        ({"shape_type": "mask", "points": [[0, 0], [1, 1]], "mask": "?"}, "a shape has a mask that is no base64"),
        (
            {
                "shape_type": "mask",
                "points": [[3, 3], [4, 4]],
                "mask": INNER,
            },
            "a mask of 2 x 2 pixels does not fit its points in the image",
        ),
    ],
)
def test_labelme_shapes_that_are_no_areas_are_told(bench: Bench, shape: dict[str, Any], sentence: str) -> None:
    context = bench.context("segmentation", CLASSES)
    with pytest.raises(LabelError, match=sentence):
        bench.maps("labelme", labelme(bench, shapes=[{"label": "car", **shape}]), context)


def test_labelme_finds_its_images_beside_the_files(bench: Bench) -> None:
    context = bench.context("classification", ("cat", "dog"))
    formats.named("labelme").write(bench.root / "out", bench.labelled(["cat", "dog"]), context)
    file = json.loads((bench.root / "out/train/b c.json").read_text())
    assert file["flags"] == {"cat": False, "dog": True}
    assert (bench.root / "out/train" / file["imagePath"]).read_bytes() == bench.pool.bytes(1)
    assert (file["imageWidth"], file["imageHeight"], file["imageData"], file["shapes"]) == (4, 4, None, [])
