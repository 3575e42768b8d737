import contextlib
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pickwell.data.pool import Pool
from pickwell.errors import LabelError
from pickwell.formats.comma_separated import read_labels, write_picks
from pickwell.items import Kind, Label, Pick, Round, RoundState


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Pool:
    root = tmp_path_factory.mktemp("pool")
    (root / "images").mkdir()
    for name in ("a.png", "b, c.png", "12.png", "déjà vu.png"):
        Image.new("L", (4, 4)).save(root / "images" / name)
    return Pool.create(root / "pool", root / "images")


def read(tmp_path: Path, text: str, pool: Pool) -> list[Label]:
    path = tmp_path / "labels.csv"
    path.write_text(text, encoding="utf-8")
    return read_labels(path, pool)


def test_the_to_label_list_comes_back_filled_in(tmp_path: Path, pool: Pool) -> None:
    question = Round(1, RoundState.OPEN, "vaal", 0, (Pick(2, 1, 0.75), Pick(0, 2, 0.0, held_out=True)))
    path = tmp_path / "list.csv"
    write_picks(path, question, pool)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines == ["rank,item,name,score,label", f'1,2,"{pool.item(2).name}",0.75,' if "," in pool.item(2).name else
                     f"1,2,{pool.item(2).name},0.75,", f"2,0,{pool.item(0).name},,"]  # fmt: skip
    path.write_text("\n".join([lines[0], lines[1] + "cat", lines[2]]), encoding="utf-8")
    assert read_labels(path, pool) == [Label(2, "cat")]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["list.csv"]


@pytest.mark.parametrize("name", ["a.png", "b, c.png", "déjà vu.png", "12.png"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_items_by_name_and_other_delimiters(tmp_path: Path, pool: Pool, name: str, delimiter: str) -> None:
    text = f'\ufefflabel{delimiter} item{delimiter}note\r\ncat{delimiter}"{name}"{delimiter}x\r\n'
    assert read(tmp_path, text, pool) == [Label(pool.manifest.find(name) or 0, "cat")]


def test_skips_and_ignores(tmp_path: Path, pool: Pool) -> None:
    labels = read(tmp_path, "item,label,annotator\n0,!skip,ann\n1,!ignore,\n2, cat ,bob\n3,,\n", pool)
    assert labels == [
        Label(0, None, Kind.SKIP, "ann"),
        Label(1, None, Kind.IGNORE),
        Label(2, "cat", annotator="bob"),
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is empty; it needs a header line with the columns item and label"),
        ("image,class\n0,cat\n", "has the columns image, class; item and label missing"),
        ("item,label\n", "holds no label"),
        ("item,label\n0,\n", "holds no label"),
        ("item,label\n99,cat\n", "line 2: unknown item '99'; an item is an id (0 to 3)"),
        ("item,label\n-1,cat\n", "line 2: unknown item '-1'"),
        ("item,label\nz.png,cat\n", "line 2: unknown item 'z.png'"),
        ("item,label\n0,cat\n0,dog\n", "line 3: item 0 is there twice"),
        ("item,label\n0,cat\na.png,dog\n1,a\n", "is there twice"),
        ("item,label\n0,cat,dog\n", "line 2: more cells than columns"),
    ],
)
def test_wrong_files_are_named(tmp_path: Path, pool: Pool, text: str, sentence: str) -> None:
    twice = text.replace("a.png", pool.item(0).name)
    with pytest.raises(LabelError, match=re.escape(sentence)):
        read(tmp_path, twice, pool)


def test_a_missing_file_is_named(tmp_path: Path, pool: Pool) -> None:
    with pytest.raises(LabelError, match=r"none\.csv cannot be read: No such file"):
        read_labels(tmp_path / "none.csv", pool)


@settings(deadline=None)
@given(text=st.text(max_size=200))
def test_no_text_ends_in_anything_but_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, pool: Pool, text: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(b"item,label\n" + text.encode("utf-8", "surrogatepass"))
    with contextlib.suppress(LabelError):
        assert all(0 <= label.item < len(pool) for label in read_labels(path, pool))


def test_asking_again_keeps_what_was_typed_into_the_list(tmp_path: Path, pool: Pool) -> None:
    picks = (Pick(2, 1, 0.75), Pick(0, 2, 0.5), Pick(1, 3, 0.25))
    path = tmp_path / "list.csv"
    write_picks(path, Round(1, RoundState.OPEN, "vaal", 0, picks), pool)
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([lines[0], lines[1] + "cat", lines[2] + "!skip", lines[3]]), encoding="utf-8")
    write_picks(path, Round(1, RoundState.OPEN, "vaal", 0, picks), pool)
    assert path.read_text(encoding="utf-8").splitlines() == [lines[0], lines[1] + "cat", *lines[2:]]


def test_a_list_replaces_a_file_that_is_no_list(tmp_path: Path, pool: Pool) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(b"\x89PNG\r\n\0")
    write_picks(path, Round(1, RoundState.OPEN, "vaal", 0, (Pick(2, 1, 0.75),)), pool)
    assert path.read_text(encoding="utf-8").startswith("rank,item,name,score,label\n1,2,")
