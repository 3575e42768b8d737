"""Every format of label maps gives back, pixel for pixel, what it was given."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pickwell import formats
from pickwell.data.layouts import CAMVID
from pickwell.errors import LabelError
from pickwell.formats.cityscapes import TRAIN_IDS
from pickwell.formats.voc import CLASSES as VOC
from pickwell.tasks.segmentation.label_maps import Mask, decode, encode
from pickwell.testing.format_bench import Bench

ODD = ("road", "a & <b>", 'été "1"', "x,y;z", "background")
MANY = tuple(f"class {index}" for index in range(255))
CLASSES = {"cityscapes": TRAIN_IDS, "bdd100k": TRAIN_IDS, "camvid": CAMVID, "voc": VOC}
FORMATS = [
    name
    for name in formats.available()
    if hasattr(formats.named(name), "write") and "segmentation" in formats.tasks_of(formats.named(name))
]


def there_and_back(bench: Bench, name: str, classes: tuple[str, ...], masks: list[Mask]) -> list[list[list[int]]]:
    context, out = bench.context("segmentation", classes), bench.root / f"out-{name}.file"
    formats.named(name).write(out, bench.labelled(masks), context)
    try:
        found = bench.maps(name, out, context)
    finally:
        shutil.rmtree(out) if out.is_dir() else out.unlink()
        shutil.rmtree(bench.root / f"out-{name}_masks", ignore_errors=True)
    assert sorted(found) == list(range(len(masks)))
    return [found[item] for item in range(len(masks))]


def test_the_formats_are_those_of_the_table() -> None:
    assert [
        *("bdd100k", "camvid", "cityscapes", "coco", "csv", "cvat", "label-studio", "labelme", "masks", "voc", "yolo")
    ] == FORMATS


@pytest.mark.parametrize("name", FORMATS)
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_label_map_comes_back(name: str, bench: Bench, data: st.DataObject) -> None:
    classes = CLASSES.get(name, ODD)
    values = st.sampled_from([*range(len(classes)), 255])
    masks = [data.draw(arrays(np.uint8, bench.size(item)[::-1], elements=values)) for item in range(4)]
    assert there_and_back(bench, name, classes, masks) == [mask.tolist() for mask in masks]


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in CLASSES])
def test_every_one_of_255_classes_comes_back(name: str, bench: Bench) -> None:
    masks = [np.arange(256, dtype=np.uint8)[:54].reshape(6, 9), np.arange(240, 256, dtype=np.uint8).reshape(4, 4)]
    assert there_and_back(bench, name, MANY, masks) == [mask.tolist() for mask in masks]


def test_voc_keeps_255_classes_too(bench: Bench) -> None:
    masks = [np.arange(60, 114, dtype=np.uint8).reshape(6, 9), np.arange(240, 256, dtype=np.uint8).reshape(4, 4)]
    assert there_and_back(bench, "voc", MANY, masks) == [mask.tolist() for mask in masks]


@pytest.mark.parametrize("name", ["masks", "csv"])
def test_void_values_stay_free(name: str, bench: Bench) -> None:
    """Files count as the pool's own masks do: where 1 is void, the classes are 0, 2 and 3."""
    context = replace(bench.context("segmentation", ("road", "car", "sky")), void=(1,))
    mask = np.array([[0, 1, 2, 255]] * 4, dtype=np.uint8)
    out = bench.root / "out"
    formats.named(name).write(out, bench.labelled([mask], first=1), context)
    (path,) = bench.root.rglob("*.png")
    assert decode(path.read_bytes()).tolist() == [[0, 2, 3, 255]] * 4
    path.write_bytes(encode(np.array([[0, 1, 2, 3]] * 4, dtype=np.uint8)))
    assert bench.maps(name, out, context) == {1: [[0, 255, 1, 2]] * 4}


def test_a_csv_that_is_there_leaves_no_masks_beside_it(bench: Bench) -> None:
    (bench.root / "out.csv").touch()
    masks = [np.zeros((6, 9), dtype=np.uint8)]
    with pytest.raises(LabelError, match="is there already"):
        formats.named("csv").write(bench.root / "out.csv", bench.labelled(masks), bench.context("segmentation", ODD))
    assert [path.name for path in bench.root.iterdir()] == ["out.csv"]
