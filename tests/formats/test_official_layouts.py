"""Files as the data sets and the tools themselves write them."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pickwell import formats
from pickwell.data.layouts import CAMVID
from pickwell.errors import LabelError
from pickwell.formats import voc
from pickwell.formats.cityscapes import LABEL_IDS, TRAIN_IDS
from pickwell.formats.voc import CLASSES as VOC
from pickwell.formats.voc import palette_png, voc_colour
from pickwell.tasks.segmentation.label_maps import decode, encode
from pickwell.testing.format_bench import Bench

I = 255  # noqa: E741


def png(path: Path, values: list[list[int]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode(np.array(values, dtype=np.uint8)))


def colours(path: Path, *pixels: tuple[int, int, int]) -> None:
    """A picture of 4 x 4: the colours given, then the last of them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    every = [*pixels, *[pixels[-1]] * (16 - len(pixels))]
    Image.fromarray(np.array(every, dtype=np.uint8).reshape(4, 4, 3)).save(path)


def four(first: int, second: int, rest: int) -> list[list[int]]:
    """The label map of 4 x 4 with two values in its first row."""
    return [[first, second, rest, rest], *[[rest] * 4] * 3]


def test_cityscapes_numbers_are_the_official_ones() -> None:
    assert {name: LABEL_IDS.index(name) for name in ("unlabeled", "road", "car", "bicycle", "train")} == {
        "unlabeled": 0,
        "road": 7,
        "car": 26,
        "bicycle": 33,
        "train": 31,
    }
    assert len(TRAIN_IDS) == 19
    assert [TRAIN_IDS.index(name) for name in ("road", "traffic light", "person", "car", "train", "bicycle")] == [
        *(0, 6, 11, 13, 16, 18)
    ]
    assert [LABEL_IDS.index(name) for name in TRAIN_IDS] == [
        *(7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)
    ]
    assert len(LABEL_IDS) == 34


def test_cityscapes_writes_both_numberings(bench: Bench) -> None:
    from pickwell.formats import cityscapes

    mask = np.array(four(TRAIN_IDS.index("road"), TRAIN_IDS.index("car"), I), dtype=np.uint8)
    cityscapes.write(bench.root / "out", bench.labelled([mask], first=1), bench.context("segmentation", TRAIN_IDS))
    assert sorted(path.name for path in (bench.root / "out").rglob("*.png")) == [
        "b c_gtFine_labelIds.png",
        "b c_gtFine_labelTrainIds.png",
    ]
    folder = bench.root / "out" / "gtFine" / "train"
    assert decode((folder / "b c_gtFine_labelIds.png").read_bytes()).tolist() == four(7, 26, 0)
    assert decode((folder / "b c_gtFine_labelTrainIds.png").read_bytes()).tolist() == four(0, 13, I)


def test_cityscapes_ignores_what_the_benchmark_ignores(bench: Bench) -> None:
    png(bench.root / "gtFine/train/b c_gtFine_labelIds.png", four(7, 1, 6))
    context = bench.context("segmentation", TRAIN_IDS)
    assert bench.maps("cityscapes", bench.root / "gtFine", context) == {1: four(0, I, I)}
    assert bench.maps("cityscapes", bench.root, context) == {1: four(0, I, I)}
    with_ground = bench.context("segmentation", ("ground", "road"))
    assert bench.maps("cityscapes", bench.root, with_ground) == {1: four(1, I, 0)}


def test_cityscapes_label_ids_win_over_train_ids(bench: Bench) -> None:
    png(bench.root / "gtFine/train/b c_gtFine_labelIds.png", four(7, 26, 0))
    png(bench.root / "gtFine/train/b c_gtFine_labelTrainIds.png", four(0, 13, I))
    png(bench.root / "gtFine/train/a_gtFine_labelTrainIds.png", [[18] * 9] * 6)
    found = bench.maps("cityscapes", bench.root / "gtFine", bench.context("segmentation", TRAIN_IDS))
    assert found == {0: [[18] * 9] * 6, 1: four(0, 13, I)}


def test_cityscapes_label_ids_in_a_train_id_file_are_refused(bench: Bench) -> None:
    png(bench.root / "train/b c_gtFine_labelTrainIds.png", four(7, 26, 0))
    with pytest.raises(LabelError, match=r"labels that do not fit: 1 \(train/b c: it has the values 26 \(1 pixels\)"):
        bench.maps("cityscapes", bench.root, bench.context("segmentation", TRAIN_IDS))


@pytest.mark.parametrize("name", ["labels/sem_seg/masks/train/b c.png", "seg/labels/train/b c_train_id.png"])
def test_bdd100k_has_two_layouts(bench: Bench, name: str) -> None:
    png(bench.root / name, four(0, 13, I))
    assert bench.maps("bdd100k", bench.root, bench.context("segmentation", TRAIN_IDS)) == {1: four(0, 13, I)}


def test_bdd100k_writes_the_new_layout(bench: Bench) -> None:
    from pickwell.formats import bdd100k

    bdd100k.write(
        bench.root / "out",
        bench.labelled([np.zeros((4, 4), np.uint8)], first=1),
        bench.context("segmentation", ("car", "road")),
    )
    (path,) = (bench.root / "out").rglob("*.png")
    assert path.relative_to(bench.root / "out").as_posix() == "labels/sem_seg/masks/train/b c.png"
    assert decode(path.read_bytes()).tolist() == [[13] * 4] * 4


def test_camvid_by_numbers(bench: Bench) -> None:
    png(bench.root / "trainannot/b c.png", four(0, 10, 11))
    png(bench.root / "valannot/sub/a.png", [[3] * 16] * 3)
    found = bench.maps("camvid", bench.root, bench.context("segmentation", CAMVID))
    assert found == {1: four(0, 10, I), 3: [[3] * 16] * 3}


def test_camvid_goes_by_names_not_by_places(bench: Bench) -> None:
    png(bench.root / "trainannot/b c.png", four(3, 8, 11))
    context = bench.context("segmentation", ("Car", "Road"))
    assert bench.maps("camvid", bench.root, context) == {1: four(1, 0, I)}


@pytest.mark.parametrize(
    ("file", "table"),
    [
        ("label_colors.txt", "64 128 64\tAnimal\n128 64 128 Road shoulder\n0 0 0\t\tVoid\n"),
        ("class_dict.csv", "name,r,g,b\nAnimal,64,128,64\nRoad shoulder, 128, 64, 128\nVoid,0,0,0\n"),
    ],
)
def test_camvid_by_colours(bench: Bench, file: str, table: str) -> None:
    (bench.root / file).write_text(table)
    colours(bench.root / "LabeledApproved_full/b c_L.png", (64, 128, 64), (128, 64, 128), (0, 0, 0))
    context = bench.context("segmentation", ("Road shoulder", "Animal"))
    assert bench.maps("camvid", bench.root, context) == {1: four(1, 0, I)}
    colours(bench.root / "LabeledApproved_full/b c_L.png", (64, 128, 64), (128, 64, 128), (0, 0, 1))
    with pytest.raises(LabelError, match=r"1 colours that are not in the table: 0,0,1 \(14 pixels\)"):
        bench.maps("camvid", bench.root, context)


def test_voc_palette_is_the_official_one() -> None:
    assert [voc_colour(index) for index in (0, 1, 2, 15, 20, 255)] == [
        *((0, 0, 0), (128, 0, 0), (0, 128, 0), (192, 128, 128), (0, 64, 128), (224, 224, 192))
    ]
    image = Image.open(io.BytesIO(palette_png(np.array([[0, 15, 255]], dtype=np.uint8))))
    assert image.mode == "P"
    assert np.asarray(image).tolist() == [[0, 15, 255]]
    assert np.asarray(image.convert("RGB")).tolist() == [[[0, 0, 0], [192, 128, 128], [224, 224, 192]]]


def test_voc_as_the_challenge_has_it(bench: Bench) -> None:
    (bench.root / "SegmentationClass").mkdir()
    mask = np.array(four(15, 0, 255), dtype=np.uint8)
    (bench.root / "SegmentationClass" / "b c.png").write_bytes(palette_png(mask))
    assert bench.maps("voc", bench.root, bench.context("segmentation", VOC)) == {1: four(15, 0, I)}
    people = bench.context("segmentation", ("person", "background"))
    assert bench.maps("voc", bench.root, people) == {1: four(0, 1, I)}


def test_voc_as_cvat_writes_it(bench: Bench) -> None:
    (bench.root / "labelmap.txt").write_text(
        "# label:color_rgb:parts:actions\nbackground:0,0,0::\ncar:10,20,30::\nroad:250,1,2::\n"
    )
    colours(bench.root / "SegmentationClass/b c.png", (10, 20, 30), (250, 1, 2), (0, 0, 0))
    context = bench.context("segmentation", ("road", "car", "background"))
    assert bench.maps("voc", bench.root, context) == {1: four(1, 0, 2)}
    png(bench.root / "SegmentationClass/b c.png", four(1, 2, 255))
    assert bench.maps("voc", bench.root, context) == {1: four(1, 0, I)}


def test_every_colour_of_exported_voc_masks_is_declared(bench: Bench) -> None:
    """datumaro refuses a mask with any other."""
    mask = np.array(four(0, 1, 255), dtype=np.uint8)
    voc.write(bench.root / "out", bench.labelled([mask], first=1), bench.context("segmentation", ("road", "car")))
    lines = (bench.root / "out" / "labelmap.txt").read_text().splitlines()
    assert lines[1:] == ["road:0,0,0::", "car:128,0,0::", "void:224,224,192::"]
    declared = {tuple(map(int, line.split(":")[1].split(","))) for line in lines[1:]}
    pixels = Image.open(bench.root / "out" / "SegmentationClass" / "train" / "b c.png").convert("RGB")
    assert {colour for _, colour in pixels.getcolors()} == declared  # type: ignore[union-attr]


def test_a_colour_of_two_classes_is_told_where_a_mask_has_it(bench: Bench) -> None:
    (bench.root / "labelmap.txt").write_text("car:1,2,3::\nroad:9,9,9::\ntruck:1,2,3::\nignored:224,224,192::\n")
    path, context = bench.root / "SegmentationClass/b c.png", bench.context("segmentation", ("road", "car"))
    colours(path, (1, 2, 3), (9, 9, 9), (9, 9, 9))
    with pytest.raises(LabelError, match=r"the colour \(1, 2, 3\), which the table gives to 'car' and to 'truck'"):
        bench.maps("voc", bench.root, context)
    colours(path, (9, 9, 9), (9, 9, 9), (9, 9, 9))
    assert bench.maps("voc", bench.root, context) == {1: [[0] * 4] * 4}
    colours(path, (224, 224, 192), (9, 9, 9), (9, 9, 9))
    with pytest.raises(LabelError, match="'ignored'"):
        bench.maps("voc", bench.root, context)
    png(path, four(0, 1, 255))
    assert bench.maps("voc", bench.root, context) == {1: four(1, 0, I)}


def test_a_left_image_is_no_mask_of_camvid(bench: Bench) -> None:
    (bench.root / "label_colors.txt").write_text("1 2 3 road\n9 9 9 car\n")
    colours(bench.root / "b c_L.png", (1, 2, 3), (9, 9, 9), (9, 9, 9))
    colours(bench.root / "b c_l.png", (4, 4, 4), (5, 5, 5), (6, 6, 6))
    assert bench.maps("camvid", bench.root, bench.context("segmentation", ("road", "car"))) == {1: four(0, 1, 1)}


@pytest.mark.parametrize("name", ["b c.PNG", "b c.Png"])
def test_endings_in_capitals_are_masks_too(bench: Bench, name: str) -> None:
    png(bench.root / "in" / name, four(0, 1, I))
    assert bench.maps("masks", bench.root / "in", bench.context("segmentation", ("road", "car"))) == {1: four(0, 1, I)}


def coco(bench: Bench, *annotations: dict[str, object], **image: object) -> Path:
    path = bench.root / "coco.json"
    values = {
        "images": [
            {"id": 7, "file_name": "train/b c.png", "width": 4, "height": 4, **image},
            {"id": 8, "file_name": "x"},
        ],
        "categories": [{"id": 3, "name": "road"}, {"id": 90, "name": "car"}],
        "annotations": [{"id": n, "image_id": 7, **one} for n, one in enumerate(annotations)],
    }
    path.write_text(json.dumps(values))
    return path


SQUARE = [0, 0, 2, 0, 2, 2, 0, 2]


def test_coco_polygons_and_both_kinds_of_run_lengths(bench: Bench) -> None:
    path = coco(
        bench,
        {"category_id": 3, "segmentation": [SQUARE, [2, 2, 4, 2, 4, 4, 2, 4]]},
        {"category_id": 90, "segmentation": {"size": [4, 4], "counts": [1, 1, 14]}},
        {"category_id": 90, "segmentation": {"size": [4, 4], "counts": "<13"}},
    )
    road, car = 0, 1
    expected = [[road, road, I, car], [car, road, I, I], [I, I, road, road], [I, I, road, road]]
    context = bench.context("segmentation", ("road", "car"))
    assert bench.maps("coco", path, context) == {1: expected}
    filled = [[car if value == I else value for value in row] for row in expected]
    assert bench.maps("coco", path, bench.context("segmentation", ("road", "car"), "car")) == {1: filled}


def test_an_image_without_shapes_is_not_taken_for_labelled(bench: Bench) -> None:
    context = bench.context("segmentation", ("road", "car"))
    with pytest.raises(LabelError, match="holds no label that can be used"):
        bench.maps("coco", coco(bench), context)
    assert bench.maps("coco", coco(bench, labelled=True), context) == {1: [[I] * 4] * 4}


def test_coco_exports_of_before_are_still_read(bench: Bench) -> None:
    """They called every class of an image a crowd."""
    context, mask = bench.context("segmentation", ("road", "car")), np.array(four(0, 1, I), dtype=np.uint8)
    formats.named("coco").write(bench.root / "out", bench.labelled([mask], first=1), context)
    text = (bench.root / "out").read_text().replace('"iscrowd": 0', '"iscrowd": 1')
    (bench.root / "old").write_text(text)
    assert '"iscrowd": 1' in text
    assert bench.maps("coco", bench.root / "old", context) == {1: four(0, 1, I)}


def test_what_coco_writes_is_complete(bench: Bench) -> None:
    from pickwell.formats import coco as module

    mask = np.array(four(1, 1, 255), dtype=np.uint8)
    context = bench.context("segmentation", ("road", "car"))
    module.write(bench.root / "out.json", bench.labelled([mask], first=1), context)
    assert json.loads((bench.root / "out.json").read_text()) == {
        "images": [{"id": 1, "file_name": "train/b c.png", "width": 4, "height": 4}],
        "categories": [{"id": 1, "name": "road"}, {"id": 2, "name": "car"}],
        "annotations": [
            {
                "id": 1,
                "image_id": 1,
                "category_id": 2,
                "segmentation": {"size": [4, 4], "counts": "01308"},
                "area": 2,
                "bbox": [0, 0, 2, 1],
                "iscrowd": 0,
            }
        ],
    }


YAML = [
    "path: x\nnames: [road, 'car']\nnc: 2\n",
    "names:\n  0: road\n  1: car # four wheels\ntrain: images\n",
    'nc: 2\nnames:\n- road\n- "car"\n',
    "names:\n  # both\n\n  1: car\n  0: road\n",
    "names:\r\n- road\r\n- car\r\nnc: 2\r\n",
    "names: {0: road, 1: car}\n",
    "nc: 2\nnames: {1: 'car',\n  0: \"road\",}\ntrain: [images]\n",
]


@pytest.mark.parametrize("text", YAML)
def test_yolo_polygons_with_the_smaller_on_top(bench: Bench, text: str) -> None:
    (bench.root / "data.yaml").write_bytes(text.encode())
    (bench.root / "labels/train").mkdir(parents=True)
    small, large = "1 0 0 0.5 0 0.5 0.25 0 0.25", "0 0 0 1 0 1 0.5 0 0.5"
    (bench.root / "labels/train/b c.txt").write_text(f"{small}\n{large}\n")
    (bench.root / "labels/train/a.txt").write_text("")
    context = bench.context("segmentation", ("car", "road"))
    expected = [[0, 0, 1, 1], [1, 1, 1, 1], [I] * 4, [I] * 4]
    assert bench.maps("yolo", bench.root, context) == {1: expected}
    with_ground = bench.context("segmentation", ("car", "road"), "car")
    assert bench.maps("yolo", bench.root, with_ground) == {
        0: [[0] * 9] * 6,
        1: [expected[0], [1] * 4, [0] * 4, [0] * 4],
    }


def test_yolo_names_may_hold_commas_and_brackets(bench: Bench) -> None:
    (bench.root / "labels").mkdir()
    (bench.root / "labels" / "b c.txt").write_text("1 0 0 1 0 1 1 0 1")
    context = bench.context("segmentation", ("road", "car, [old]"))
    for text in ("names: [road, 'car, [old]']", 'names: {0: road, 1: "car, [old]"}'):
        (bench.root / "data.yaml").write_text(text)
        assert bench.maps("yolo", bench.root, context) == {1: [[1] * 4] * 4}


@pytest.mark.parametrize("where", [".", "train"])
@pytest.mark.parametrize("image", ["b c", "b-c_png.rf.0123456789abcdef0123456789abcdef"])
def test_yolo_as_roboflow_writes_it(bench: Bench, where: str, image: str) -> None:
    (bench.root / "data.yaml").write_text("train: ../train/images\nval: ../valid/images\nnames: ['road', 'car']\n")
    (bench.root / "train/labels").mkdir(parents=True)
    (bench.root / "train/labels" / f"{image}.txt").write_text("1 0 0 1 0 1 1 0 1")
    context = bench.context("segmentation", ("road", "car"))
    assert bench.maps("yolo", bench.root / where, context) == {1: [[1] * 4] * 4}


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("0 0.5 0.5 0.2 0.2", "line 1 is a box, not a polygon"),
        ("7 0 0 1 0 1 1", "line 1 has the class '7', which names does not have"),
        ("-1 0 0 1 0 1 1", "line 1 has the class '-1'"),
        ("0 0 0 1 0 1", "line 1 has 5 coordinates"),
        ("0 0 0 640 0 640 480", "not between 0 and 1"),
        ("0 0 0 nan 0 1 1", "not between 0 and 1"),
        ("0 0 0 a 0 1 1", "no numbers"),
    ],
)
def test_yolo_lines_that_are_no_polygons_are_told(bench: Bench, line: str, sentence: str) -> None:
    (bench.root / "classes.txt").write_text("road\ncar\n")
    (bench.root / "labels").mkdir()
    (bench.root / "labels" / "b c.txt").write_text(line)
    with pytest.raises(LabelError, match=f"labels that do not fit: 1 .b c: .*{sentence}"):
        bench.maps("yolo", bench.root, bench.context("segmentation", ("road", "car")))


def test_a_blank_line_of_yolo_classes_moves_no_number(bench: Bench) -> None:
    (bench.root / "classes.txt").write_text("road\n\ncar\n")
    (bench.root / "labels").mkdir()
    (bench.root / "labels" / "b c.txt").write_text("2 0 0 1 0 1 1 0 1")
    assert bench.maps("yolo", bench.root, bench.context("segmentation", ("road", "car"))) == {1: [[1] * 4] * 4}
    (bench.root / "labels" / "b c.txt").write_text("1 0 0 1 0 1 1 0 1")
    with pytest.raises(LabelError, match="line 1 has the class '1', which names does not have"):
        bench.maps("yolo", bench.root, bench.context("segmentation", ("road", "car")))


@pytest.mark.parametrize(
    "text",
    [
        "nc: 2\n",
        "names: *alias\n",
        "names: [a, b\n",
        "names: {0: a\n",
        "names: {x: a}\n",
        "names:\nnc: 2\n",
        "names: [a, [b]]\n",
    ],
)
def test_yolo_names_that_cannot_be_read_are_told(bench: Bench, text: str) -> None:
    (bench.root / "data.yaml").write_text(text)
    (bench.root / "labels").mkdir()
    with pytest.raises(LabelError, match=r"data\.yaml has (no entry names|names that cannot be read|no names)"):
        bench.maps("yolo", bench.root, bench.context("segmentation", ("a", "b")))


CVAT = """<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version><meta><task><labels><label><name>car</name></label></labels></task></meta>
<image id="0" name="train/b c.png" width="4" height="4">
<mask label="car" source="manual" occluded="0" rle="0, 2, 1, 1" left="1" top="0" width="2" height="2" z_order="5">
</mask>
<polygon label="road" points="0.0,0.0;4.0,0.0;4.0,1.0;0.0,1.0" z_order="1"></polygon>
</image>
<image id="1" name="val/sub/a.jpg" width="16" height="3"></image></annotations>"""


def test_cvat_masks_and_polygons_by_z_order(bench: Bench) -> None:
    (bench.root / "annotations.xml").write_text(CVAT)
    found = bench.maps("cvat", bench.root / "annotations.xml", bench.context("segmentation", ("road", "car")))
    assert found == {1: [[0, 1, 1, 0], [I, I, 1, I], [I] * 4, [I] * 4]}


def test_cvat_boxes_are_no_label_maps(bench: Bench) -> None:
    (bench.root / "a.xml").write_text(
        CVAT.replace('<polygon label="road"', '<box label="road"').replace("/polygon", "/box")
    )
    with pytest.raises(LabelError, match="it has a box of 'road'; only masks and polygons are label maps"):
        bench.maps("cvat", bench.root / "a.xml", bench.context("segmentation", ("road", "car")))


def task(result: list[dict[str, object]], image: str = "train/b c.png", **annotation: object) -> dict[str, object]:
    kept = {"id": 5, "completed_by": 2, "lead_time": 1.83, "was_cancelled": False, "result": result, **annotation}
    return {"id": 11, "data": {"image": image}, "annotations": [kept], "predictions": []}


def studio(bench: Bench, *tasks: dict[str, object]) -> Path:
    (bench.root / "export.json").write_text(json.dumps(tasks))
    return bench.root / "export.json"


def area(kind: str, name: str, value: dict[str, object], **more: object) -> dict[str, object]:
    size = {"original_width": 4, "original_height": 4, "image_rotation": 0}
    return {
        "id": "b0",
        "from_name": "tag",
        "to_name": "image",
        "type": kind,
        "value": {kind: [name], **value},
        **size,
        **more,
    }


def test_label_studio_brushes_and_polygons_paint_in_order(bench: Bench) -> None:
    from pickwell.formats.exchange.brush import encode as brush

    drawn = np.zeros((4, 4), dtype=np.bool_)
    drawn[0, 1:] = True
    polygon = area("polygonlabels", "road", {"points": [[0, 0], [100, 0], [100, 50], [0, 50]], "closed": True})
    brushed = area("brushlabels", "car", {"format": "rle", "rle": brush(drawn)})
    context = bench.context("segmentation", ("road", "car"))
    path = studio(bench, task([polygon, brushed]))
    assert bench.maps("label-studio", path, context) == {1: [[0, 1, 1, 1], [0] * 4, [I] * 4, [I] * 4]}
    path = studio(bench, task([brushed, polygon]))
    assert bench.maps("label-studio", path, context) == {1: [[0] * 4, [0] * 4, [I] * 4, [I] * 4]}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"original_width": 5}, "it is drawn on 5 x 4 turned by 0, not 4 x 4"),
        ({"image_rotation": 90}, "turned by 90"),
        ({"type": "rectanglelabels"}, "a result of type 'rectanglelabels'"),
        ({"value": {"format": "png", "brushlabels": ["car"]}}, "a brush has the format 'png'"),
        ({"value": {"format": "rle", "rle": [1], "brushlabels": ["car", "road"]}}, "a region has 2 labels"),
        ({"value": {"format": "rle", "rle": [1], "brushlabels": ["car"]}}, "ends in the middle"),
        ({"value": {"format": "rle", "rle": ["1"], "brushlabels": ["car"]}}, "must be a whole number from 0 to 255"),
    ],
)
def test_label_studio_areas_that_cannot_be_read_are_told(
    bench: Bench, change: dict[str, object], sentence: str
) -> None:
    path = studio(bench, task([{**area("brushlabels", "car", {"format": "rle", "rle": []}), **change}]))
    with pytest.raises(LabelError, match=sentence):
        bench.maps("label-studio", path, bench.context("segmentation", ("road", "car")))
