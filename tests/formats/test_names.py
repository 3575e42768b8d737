import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from pickwell.data.manifest import Manifest
from pickwell.data.pool import Pool
from pickwell.errors import LabelError
from pickwell.formats.exchange.names import Names, Places, distinct, inside, without_ending


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Names:
    root = tmp_path_factory.mktemp("names")
    for name in ("one.jpg", "twin.jpg", "twin.png", "cat/1.jpg", "dog/1.jpg", "deep/er/v1.5.png", "a\\b.png"):
        (root / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (2, 2)).save(root / "images" / name)
    return Names(Pool.create(root / "pool", root / "images").manifest)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("one.jpg", ["one.jpg"]),
        ("one", ["one.jpg"]),
        ("one.PNG", ["one.jpg"]),
        ("./one.jpg", ["one.jpg"]),
        ("/home/ann/images/one.jpg", ["one.jpg"]),
        ("C:\\photos\\cat\\1.jpg", ["cat/1.jpg"]),
        ("twin.jpg", ["twin.jpg"]),
        ("x/twin.png", ["twin.png"]),
        ("twin", ["twin.jpg", "twin.png"]),
        ("twin.gif", ["twin.jpg", "twin.png"]),
        ("1.jpg", ["cat/1.jpg", "dog/1.jpg"]),
        ("dog/1", ["dog/1.jpg"]),
        ("bird/1.jpg", []),
        ("og/1.jpg", []),
        ("v1.5", ["deep/er/v1.5.png"]),
        ("er/v1.5.jpg", ["deep/er/v1.5.png"]),
        ("v1", []),
        ("a\\b.png", ["a\\b.png"]),
        ("", []),
        ("/", []),
        ("..", []),
        ("../one.jpg", ["one.jpg"]),  # only a name: no file is ever opened by it
        ("J\udcf6rg/one.jpg", ["one.jpg"]),  # the folders before a name need not be UTF-8
        ("\udcf6ne.jpg", []),
    ],
)
def test_which_image_is_meant(names: Names, said: str, meant: list[str]) -> None:
    pool_names = names.manifest.names()
    assert sorted(pool_names[item] for item in names.find(said)) == meant


def test_many_names_are_found_at_once(tmp_path: Path) -> None:
    count = 60_000
    known = [f"class-{number % 100:02d}/{number}.jpg" for number in range(count)]
    rows = {
        "source": np.zeros(count, np.int32),
        "name": known,
        "path": pa.nulls(count, pa.string()),
        "row": pa.nulls(count, pa.int64()),
        "width": np.ones(count, np.int32),
        "height": np.ones(count, np.int32),
        "known": pa.nulls(count, pa.string()),
    }
    names = Names(Manifest.write(tmp_path / "manifest.parquet", pa.table(rows)))
    began = time.process_time()
    assert [names.find(name) for name in known] == [[item] for item in range(count)]
    assert time.process_time() - began < 2  # 0.1 s where nothing else runs; 40 s where each is looked for in all


@pytest.mark.parametrize(
    "name", ["../x.png", "a/../../x", "/etc/passwd", "C:\\x", "\\\\host\\x", "..\\x", "", "a\0b", "."]
)
def test_names_that_lead_out_of_the_folder_are_refused(name: str) -> None:
    with pytest.raises(LabelError, match="cannot be a file below the export folder"):
        inside(name)


def test_names_with_dots_and_colons_stay_as_they_are() -> None:
    assert str(inside("a/..b/c...png")) == "a/..b/c...png"
    assert str(inside("12:30.png")) == "12:30.png"


def test_each_image_has_a_place_of_its_own() -> None:
    places = Places(["a.jpg", "A.png", "b.jpg", "c.png.jpg", "c.png"])
    found = [str(places.of(name)) for name in ("a.jpg", "A.png", "b.jpg", "c.png.jpg", "c.png")]
    assert found == ["a.jpg.png", "A.png.png", "b.png", "c.png.jpg.png", "c.png"]
    assert without_ending(".jpg") == ".jpg"


def test_two_images_in_one_place_are_refused() -> None:
    assert distinct(["a", "b"]) == ["a", "b"]
    with pytest.raises(LabelError, match=r"two images would have one mask, 'train/a', in this layout; export as masks"):
        distinct([("train", "a"), ("val", "a"), ("train", "a")])


def test_a_pool_with_odd_names_goes_out_and_comes_back(tmp_path: Path) -> None:
    """Names that differ in their endings, hold spaces, dots, percent signs: every format of files finds them again."""
    from pickwell import formats
    from pickwell.testing.format_bench import Bench

    names = ["a.jpg", "a.png", "b.1.png", "100%20.jpg", "x y/z#?.png", "é/ü.jpg", "b.1/ü.jpg", "ü.jpg"]
    for name in names:
        (tmp_path / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (2, 2)).save(tmp_path / "images" / name)
    bench = Bench(Pool.create(tmp_path / "pool", tmp_path / "images"), tmp_path)
    context = bench.context("classification", ("cat", "dog"))
    classes = ["cat", "dog"] * 4
    for name in ("csv", "cvat", "fiftyone", "folders", "label-studio"):
        formats.named(name).write(tmp_path / name, bench.labelled(classes), context)
        assert bench.read(name, tmp_path / name, context) == dict(enumerate(classes)), name
