import contextlib
import csv
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pickwell import formats
from pickwell.data.pool import Pool
from pickwell.errors import LabelError
from pickwell.formats.to_label_csv import read_labels, write_picks
from pickwell.items import Kind, Label, Pick, Round, RoundState
from pickwell.testing.format_bench import Bench


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Pool:
    root = tmp_path_factory.mktemp("pool")
    (root / "images").mkdir()
    for name in ("a.png", "b, c.png", "12.png", "déjà vu.png"):
        Image.new("L", (4, 4)).save(root / "images" / name)
    return Pool.create(root / "pool", root / "images", apart=True)


def read(tmp_path: Path, text: str, pool: Pool) -> list[Label]:
    path = tmp_path / "labels.csv"
    path.write_text(text, encoding="utf-8")
    return read_labels(path, pool)


def test_the_to_label_list_comes_back_filled_in(tmp_path: Path, pool: Pool) -> None:
    question = Round(1, RoundState.OPEN, "vaal", 0, (Pick(2, 1, 0.75), Pick(0, 2, 0.0, held_out=True)))
    path = tmp_path / "list.csv"
    write_picks(path, question, pool, range(4))
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
    assert read(tmp_path, text, pool) == [Label(pool.manifest.names().index(name), "cat")]


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
        ("", "is empty; its header line must name one of the image (item, path, name, "),
        ("photo,class\n0,cat\n", "has the columns photo, class; its header line must name one of the image (item, "),
        ("item,label\n", "holds no label"),
        ("item,label\n0,\n", "holds no label"),
        ("image,class\n0,cat\n", "line 2: unknown item '0'"),
        ("item,label\n99,cat\n", "line 2: unknown item '99'; the pool holds items 0 to 3; give one of them, or a name"),
        ("item,label\n-1,cat\n", "line 2: unknown item '-1'"),
        ("item,label\nz.png,cat\n", "line 2: unknown item 'z.png'"),
        ("item,label\n0,cat\n0,dog\n", "line 3: item 0 is there twice"),
        ("item,label\n0,cat\na.png,dog\n1,a\n", "is there twice"),
        ("item,label\n0,cat,dog\n", "line 2 has 3 cells, its header 2; quote values that hold a separator"),
        ('item,label\n0,cat\n1,"dog\n2,cat\n3,dog\n', "line 3 is not CSV: unexpected end of data"),
        ('item,label\n0,"cat"x\n', "line 2 is not CSV"),
        ("item,label\n0,cat\n1 dog\n", "line 3: unknown item '1 dog'"),
        ("label,item\ncat\n", "line 2: unknown item ''"),
        ("item,note,label\n0,,cat\n1,dog\n", "line 3 ends before its label; write a separator for every column"),
        ("rank,item,name,score,label\n1,0,NAME,0.5cat\n", "line 2 ends before its label"),
        ("rank,item,name,score,label\n1,0,cat\n", "line 2 ends before its label"),
        (
            "item,name,label\n1,a.png,cat\n",
            "here, but the row names '12.png'; correct it or, if",
        ),
        ("item,name,label\n99,a.png,cat\n", "line 2: unknown item '99'"),
        (
            "item,path,label\n1,elsewhere.png,cat\n",
            "here, but the row names 'elsewhere.png'; correct it",
        ),
        ("name,label\nelsewhere.png,cat\n", "line 2: unknown item 'elsewhere.png'"),
        ("\0", "is not UTF-8 text; save it as CSV in UTF-8"),
    ],
)
def test_wrong_files_are_named(tmp_path: Path, pool: Pool, text: str, sentence: str) -> None:
    named = text.replace("a.png", pool.item(0).name).replace("NAME", f'"{pool.item(0).name}"')
    with pytest.raises(LabelError, match=re.escape(sentence)):
        read(tmp_path, named, pool)


@pytest.mark.parametrize(
    "text",
    [
        "item,label\n0,cat\n1\n\n2\n",
        "item,label,note\n0,cat\n1,,\n",
        "item,label\n0,cat\n,\n , \n\n",
        "rank;item;name;score;label\n1;0;;0,5;cat\n2;1;;2,5E-01\n3;3;NAME\n4;2\n",
    ],
)
def test_spreadsheets_may_leave_out_empty_cells_at_the_end(tmp_path: Path, pool: Pool, text: str) -> None:
    garbled = pool.item(3).name.encode().decode("cp1252")  # as Excel reads a UTF-8 file
    assert read(tmp_path, text.replace("NAME", garbled), pool) == [Label(0, "cat")]


@pytest.mark.parametrize("text", ["café.png,cat", "1é,cat", "0,déjà"])
def test_files_in_another_encoding_are_told(tmp_path: Path, pool: Pool, text: str) -> None:
    (tmp_path / "labels.csv").write_bytes(f"item,label\n{text}\n".encode("latin-1"))
    with pytest.raises(LabelError, match="is not UTF-8 text; save it as CSV in UTF-8"):
        read_labels(tmp_path / "labels.csv", pool)


@pytest.mark.parametrize("name", ["NAME", "/photos/NAME", "deja.png"])
def test_an_id_and_a_name_must_be_one_image(tmp_path: Path, pool: Pool, name: str) -> None:
    """Whoever tells another campaign's list would label other images."""
    text = f'item;name;label\n3;"{name.replace("NAME", pool.item(3).name)}";cat\n2;;dog\n'
    if "NAME" in name:
        garbled = text.encode().decode("cp1252")  # as Excel reads a UTF-8 file
        for said in (text, garbled):
            assert read(tmp_path, said, pool) == [Label(3, "cat"), Label(2, "dog")]
    else:
        with pytest.raises(LabelError, match=r"line 2: item 3 is 'déjà vu\.png' here, but the row names 'deja\.png'"):
            read(tmp_path, text, pool)


def test_a_missing_file_is_named(tmp_path: Path, pool: Pool) -> None:
    with pytest.raises(LabelError, match=r"none\.csv cannot be read: missing file"):
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
    write_picks(path, Round(1, RoundState.OPEN, "vaal", 0, picks), pool, range(4))
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([lines[0], lines[1] + "cat", lines[2] + "!skip", lines[3]]), encoding="utf-8")
    write_picks(path, Round(1, RoundState.OPEN, "vaal", 0, picks), pool, range(4))
    assert path.read_text(encoding="utf-8").splitlines() == [lines[0], lines[1] + "cat", *lines[2:]]


def test_what_was_typed_beside_a_name_or_in_another_encoding_stays(tmp_path: Path, pool: Pool) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(b"label;item\nd\xe9j\xe0;a.png\n!ignore;2\n")
    assert (
        write_picks(path, Round(1, RoundState.OPEN, "vaal", 0, (Pick(2, 1, 0.75), Pick(1, 2, 0.5))), pool, {1, 2}) == ""
    )
    assert path.read_bytes().splitlines()[1:] == [b'1,2,"b, c.png",0.75,!ignore', b"2,1,a.png,0.5,d\xe9j\xe0"]


ONE_BAD_LINE = "rank,item,name,score,label\n1,2,,0.75,cat\n2,0,,0.5,heron, probably\n"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (ONE_BAD_LINE.encode(), "line 3 has 6 cells, its header 5"),
        (ONE_BAD_LINE.encode("utf-16"), "line 3 has 6 cells, its header 5"),
        (b"item;kind\n2;cat\n", "has the columns item, kind; its header line must name one of the image"),
        (b"item,label\n2,cat\n2,dog\n", "line 3: item 2 is there twice"),
        (b"item,label\n99,cat\n", "unknown item '99'"),
        (b"\x89PNG\r\n\0", "is not UTF-8 text"),
    ],
)
def test_a_file_that_is_no_list_is_kept_beside_it(tmp_path: Path, pool: Pool, content: bytes, why: str) -> None:
    path, question = tmp_path / "list.csv", Round(1, RoundState.OPEN, "vaal", 0, (Pick(2, 1, 0.75),))
    (tmp_path / "list-1.csv").write_text("somebody's")
    path.write_bytes(content)
    said = write_picks(path, question, pool, range(4))
    assert said.startswith(f"what was in {path} is kept as {tmp_path / 'list-2.csv'}, because it could not be read as")
    assert why in said
    assert (tmp_path / "list-2.csv").read_bytes() == content
    assert (tmp_path / "list-1.csv").read_text() == "somebody's"
    assert path.read_text(encoding="utf-8").startswith("rank,item,name,score,label\n1,2,")
    assert write_picks(path, question, pool, range(4)) == ""
    assert len(list(tmp_path.iterdir())) == 3


def test_columns_of_ones_own_stay_beside_their_labels(tmp_path: Path, pool: Pool) -> None:
    path, picks = tmp_path / "list.csv", (Pick(2, 1, 0.75), Pick(0, 2, 0.5))
    path.write_text("annotator,item,label,note\nann,2,cat,sure\nann,1,dog,told\nann,0,,\n")
    assert write_picks(path, Round(1, RoundState.OPEN, "vaal", 0, picks), pool, range(4)) == ""
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header == ["rank", "item", "name", "score", "label", "annotator", "note"]
    assert rows == [
        ["1", "2", pool.item(2).name, "0.75", "cat", "ann", "sure"],
        ["2", "0", pool.item(0).name, "0.5", "", "", ""],
    ]
    assert read_labels(path, pool) == [Label(2, "cat", annotator="ann")]


def test_labels_that_nobody_told_are_kept_beside_the_next_list(tmp_path: Path, pool: Pool) -> None:
    path, question = tmp_path / "list.csv", Round(2, RoundState.OPEN, "vaal", 0, (Pick(2, 1, 0.75),))
    path.write_text("item,label\n0,cat\n1,dog\n3,!skip\n")
    assert write_picks(path, question, pool, {0, 1, 2}) == ""
    path.write_text("item,label\n0,cat\n1,dog\n3,!skip\n")
    said = write_picks(path, question, pool, {0, 2})
    assert "is kept as" in said
    assert "because labels in it are of images that have none now (item 1); mend it" in said
    assert (tmp_path / "list-1.csv").read_text() == "item,label\n0,cat\n1,dog\n3,!skip\n"


def test_an_empty_file_is_just_filled(tmp_path: Path, pool: Pool) -> None:
    (tmp_path / "list.csv").touch()
    assert (
        write_picks(tmp_path / "list.csv", Round(1, RoundState.OPEN, "vaal", 0, (Pick(2, 1, 0.75),)), pool, {2}) == ""
    )
    assert [path.name for path in tmp_path.iterdir()] == ["list.csv"]


NAMES = ("=cmd|'calc'!A0.png", "+1.png", "-2.png", "@SUM(A1).png", "\ttab.png", "'=quoted.png", "''-.png", " .png")


def test_a_name_or_a_class_that_looks_like_a_formula_is_none_in_a_spreadsheet(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    for name in (*NAMES, "'tis.png"):
        Image.new("L", (4, 4)).save(tmp_path / "images" / name)
    bench = Bench(Pool.create(tmp_path / "pool", tmp_path / "images", apart=True), tmp_path)
    classes = ("=1+2", "-", "'+x", "it's", "@a")
    context = bench.context("classification", classes)
    told = {item: classes[item % 5] for item in range(9)}
    formats.named("csv").write(tmp_path / "out.csv", bench.labelled(list(told.values())), context)
    formats.named("csv").ask(tmp_path / "asked.csv", bench.asked(*range(9)))
    question = Round(1, RoundState.OPEN, "vaal", 0, tuple(Pick(item, item + 1, 0.5) for item in range(9)))
    write_picks(tmp_path / "list.csv", question, bench.pool, range(9))
    for file in ("out.csv", "asked.csv", "list.csv"):
        with (tmp_path / file).open(newline="", encoding="utf-8") as opened:
            cells = [cell for row in csv.reader(opened) for cell in row]
        assert len(cells) >= 30
        assert not [cell for cell in cells if re.match(r"[=+\-@\s]", cell)]
    assert bench.read("csv", tmp_path / "out.csv", context) == told
    by_name = (tmp_path / "out.csv").read_text(encoding="utf-8").replace("item,", "number,")
    (tmp_path / "by name.csv").write_text(by_name, encoding="utf-8")
    assert bench.read("csv", tmp_path / "by name.csv", context) == told
    assert read_labels(tmp_path / "by name.csv", bench.pool) == [Label(*pair) for pair in told.items()]
    typed = (tmp_path / "list.csv").read_text(encoding="utf-8").replace(",0.5,", ",0.5,'=1+2")
    (tmp_path / "list.csv").write_text(typed, encoding="utf-8")
    write_picks(tmp_path / "list.csv", question, bench.pool, range(9))
    assert (tmp_path / "list.csv").read_text(encoding="utf-8") == typed
    assert {label.value for label in read_labels(tmp_path / "list.csv", bench.pool)} == {"=1+2"}


def test_a_pool_of_an_exported_csv_has_the_names_that_the_images_have(tmp_path: Path) -> None:
    for name in ("=a.png", "-b.png"):
        Image.new("L", (4, 4)).save(tmp_path / name)
    (tmp_path / "list.csv").write_text("path,label\n'=a.png,'+x\n-b.png,y\n")
    pool = Pool.create(tmp_path / "pool", tmp_path / "list.csv", apart=True)
    assert [(pool.item(item).name, pool.item(item).known) for item in (0, 1)] == [("=a.png", "+x"), ("-b.png", "y")]
