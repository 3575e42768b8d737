import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from pickwell.data.manifest import Manifest
from pickwell.data.pool import Pool
from pickwell.errors import LabelError
from pickwell.formats.exchange.names import Names, Places, distinct, inside
from pickwell.formats.exchange.readings import without_ending


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Names:
    root = tmp_path_factory.mktemp("names")
    for name in ("one.jpg", "twin.jpg", "twin.png", "cat/1.jpg", "dog/1.jpg", "deep/er/v1.5.png", "a\\b.png"):
        (root / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (2, 2)).save(root / "images" / name)
    return Names(Pool.create(root / "pool", root / "images", apart=True).manifest)


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


def named(tmp_path: Path, known: list[str]) -> Names:
    """A pool's names, without its images."""
    count = len(known)
    rows = {
        "source": np.zeros(count, np.int32),
        "name": known,
        "path": pa.nulls(count, pa.string()),
        "row": pa.nulls(count, pa.int64()),
        "width": np.ones(count, np.int32),
        "height": np.ones(count, np.int32),
        "known": pa.nulls(count, pa.string()),
    }
    return Names(Manifest.write(tmp_path / "manifest.parquet", pa.table(rows)))


def meant(names: Names, said: str) -> list[str]:
    every = names.manifest.names()
    return sorted(every[item] for item in names.find(said))


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    known = [f"case{number:05d}/image.png" for number in range(100_000)]
    return named(tmp_path_factory.mktemp("cases"), known).manifest


@pytest.mark.parametrize("said", ["case{:05d}/image.png", "/data/case{:05d}/image.png", "case{:05d}\\image.tif"])
def test_100_000_names_of_one_stem_are_found_in_seconds(cases: Manifest, said: str) -> None:
    names = Names(cases)
    began = time.process_time()
    assert [names.find(said.format(number)) for number in range(100_000)] == [[item] for item in range(100_000)]
    assert time.process_time() - began < 5  # 0.1 to 1.5 s where nothing else runs


def test_100_000_names_that_fit_all_images_are_told_in_seconds(cases: Manifest) -> None:
    names = Names(cases)
    began = time.process_time()
    assert {len(names.find("image.png")) for _ in range(100_000)} == {100_000}
    assert time.process_time() - began < 5


MUELLER, MUELLER_NFD = "M\u00fcller.jpg", "Mu\u0308ller.jpg"


@pytest.mark.parametrize(("here", "there"), [(MUELLER, MUELLER_NFD), (MUELLER_NFD, MUELLER)])
def test_a_name_from_a_mac_and_one_from_windows_are_one_name(tmp_path: Path, here: str, there: str) -> None:
    names = named(tmp_path, [f"a/{here}", "b/1.jpg"])
    for said in (f"a/{there}", there, f"/home/ann/a/{there}", there.removesuffix(".jpg")):
        assert meant(names, said) == [f"a/{here}"]


def test_a_name_in_both_spellings_is_the_one_that_is_spelt_so(tmp_path: Path) -> None:
    names = named(tmp_path, [MUELLER, MUELLER_NFD])
    assert [names.find(said) for said in (MUELLER, MUELLER_NFD)] == [[0], [1]]
    assert [names.find(f"a/{said}".removesuffix(".jpg")) for said in (MUELLER, MUELLER_NFD)] == [[0], [1]]
    assert names.find("Mueller.jpg") == []
    assert meant(named(tmp_path, ["\u1ec7.jpg", "e\u0323\u0302.jpg"]), "\u1eb9\u0302.jpg") == [
        "e\u0323\u0302.jpg",
        "\u1ec7.jpg",
    ]


@pytest.mark.parametrize(
    ("said", "pool", "found"),
    [
        ("/data/upload/3/0a1b2c3d-plain.jpg", ["plain.jpg", "other.jpg"], ["plain.jpg"]),
        ("/data/upload/3/0a1b2c3d-plain.jpg", ["plain.jpg", "0a1b2c3d-plain.jpg"], ["0a1b2c3d-plain.jpg"]),
        ("/data/upload/0a1b2c3d-plain.jpg", ["birds/plain.jpg"], ["birds/plain.jpg"]),
        ("../../label-studio/data/media/upload/3/0a1b2c3d-plain.jpg", ["plain.jpg"], ["plain.jpg"]),
        ("images\\0a1b2c3d-plain.jpg", ["plain.jpg"], ["plain.jpg"]),
        ("0a1b2c3d-plain", ["plain.jpg"], ["plain.jpg"]),
        ("0a1b2c3d-IMG_1_2_copy.jpg", ["IMG 1 (2) copy.jpg", "IMG 1.jpg"], ["IMG 1 (2) copy.jpg"]),
        ("0a1b2c3d-a_b.jpg", ["a_b.jpg", "a b.jpg"], ["a b.jpg", "a_b.jpg"]),
        ("0a1b2c3d-M%C3%BCller.jpg", [MUELLER], [MUELLER]),
        ("0a1b2c3-plain.jpg", ["plain.jpg"], []),
        ("0A1B2C3D-plain.jpg", ["plain.jpg"], []),
        ("/data/local-files/?d=birds/a%20b.jpg", ["birds/a b.jpg", "a b.jpg.jpg"], ["birds/a b.jpg"]),
        ("http://localhost:8080/data/upload/3/0a1b2c3d-a_b.jpg", ["a (b).jpg"], ["a (b).jpg"]),
        ("http://localhost:8080/data/upload/3/0a1b2c3d-a__b.jpg", ["a (b).jpg"], []),
    ],
)
def test_images_that_went_through_label_studio(tmp_path: Path, said: str, pool: list[str], found: list[str]) -> None:
    assert meant(named(tmp_path, pool), said) == found


HASH = "rf.68cb444f62494b5756c4708d119a66da"


@pytest.mark.parametrize(
    ("said", "pool", "found"),
    [
        (f"a_jpg.{HASH}.jpg", ["a.jpg", "b.jpg"], ["a.jpg"]),
        (f"valid/images/a_jpg.{HASH}.jpg", ["birds/a.jpg"], ["birds/a.jpg"]),
        (f"train/images/a_jpg.{HASH}", ["a.jpg"], ["a.jpg"]),
        (f"ants-8-_jpg.{HASH}.jpg", ["ants (8).jpg", "ants (80).jpg"], ["ants (8).jpg"]),
        (f"DJI_0097_Z_JPG_jpg.{HASH}.jpg", ["DJI_0097_Z.JPG"], ["DJI_0097_Z.JPG"]),
        (f"a_jpg.{HASH}.jpg", ["a.jpg", "a.png"], ["a.jpg", "a.png"]),
        (f"a_jpg.{HASH}.jpg", ["a.jpg", f"a_jpg.{HASH}.jpg"], [f"a_jpg.{HASH}.jpg"]),
        ("a_jpg.rf.jpg", ["a.jpg"], []),
    ],
)
def test_images_that_went_through_roboflow(tmp_path: Path, said: str, pool: list[str], found: list[str]) -> None:
    assert meant(named(tmp_path, pool), said) == found


def test_a_name_that_excel_took_for_western_letters_is_found(tmp_path: Path) -> None:
    names = named(tmp_path, ["d\u00e9j\u00e0 vu.png", "\u732b\u0641.png"])
    for item, name in enumerate(names.manifest.names()):
        assert names.find(name.encode().decode("cp1252" if not item else "latin-1")) == [item]


def test_a_name_with_spaces_around_it_is_itself(tmp_path: Path) -> None:
    names = named(tmp_path, [" a.jpg", "a.jpg", "b.jpg", "\u3000c.jpg"])
    assert [names.find(said) for said in (" a.jpg", "a.jpg", " b.jpg ", "\u3000c.jpg")] == [[0], [1], [2], [3]]


def test_a_name_of_endless_folders_is_no_trouble(tmp_path: Path) -> None:
    began = time.process_time()
    assert named(tmp_path, ["a/b.jpg"]).find("../" * 100_000 + "a/b.jpg") == [0]
    assert named(tmp_path, ["a/b.jpg"]).find("x/" * 100_000) == []
    assert named(tmp_path, ["a/b.jpg"]).find(".jpg" * 100_000 + f"!.{HASH}.jpg") == []
    assert named(tmp_path, ["a/b.jpg"]).find("%C3" * 100_000 + f"?{'d&' * 100_000}") == []
    assert time.process_time() - began < 1


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
    with pytest.raises(LabelError, match=r"two images would have one place, 'train/a', in this layout; export as csv"):
        distinct([("train", "a"), ("val", "a"), ("train", "a")])


def test_a_pool_with_odd_names_goes_out_and_comes_back(tmp_path: Path) -> None:
    """Names that differ in their endings, hold spaces, dots, percent signs: every format of files finds them again."""
    from pickwell import formats
    from pickwell.testing.format_bench import Bench

    names = ["a.jpg", "a.png", "b.1.png", "100%20.jpg", "x y/z#?.png", "é/ü.jpg", "b.1/ü.jpg", "ü.jpg"]
    for name in names:
        (tmp_path / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (2, 2)).save(tmp_path / "images" / name)
    bench = Bench(Pool.create(tmp_path / "pool", tmp_path / "images", apart=True), tmp_path)
    context = bench.context("classification", ("cat", "dog"))
    classes = ["cat", "dog"] * 4
    for name in ("csv", "cvat", "fiftyone", "folders", "label-studio"):
        formats.named(name).write(tmp_path / name, bench.labelled(classes), context)
        assert bench.read(name, tmp_path / name, context) == dict(enumerate(classes)), name
