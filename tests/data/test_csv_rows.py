import zipfile
from pathlib import Path

import pytest

from pickwell.data.csv_rows import IMAGE, LABEL, column, rows
from pickwell.errors import LabelError


def read(tmp_path: Path, data: bytes, name: str = "a.csv", errors: str = "strict") -> list[tuple[int, list[str]]]:
    (tmp_path / name).write_bytes(data)
    return list(rows(tmp_path / name, errors))


@pytest.mark.parametrize("data", [b"a,b\n1,\n", b"\xef\xbb\xbfa;b\r\n1;\r\n", b"a\tb\n1\t"])
def test_the_header_shows_what_separates(tmp_path: Path, data: bytes) -> None:
    assert read(tmp_path, data) == [(1, ["a", "b"]), (2, ["1", ""])]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8", "utf-8-sig"])
@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_a_spreadsheet_s_own_ways_of_saving_are_read(tmp_path: Path, encoding: str, sign: str) -> None:
    text = f'"a,a;a\ta"{sign}label\r\n"Müller, 1;2"{sign}猫\r\n'
    expected = [["a,a;a\ta", "label"], ["Müller, 1;2", "猫"]]
    assert [row for _, row in read(tmp_path, text.encode(encoding))] == expected
    assert read(tmp_path, f"sep={sign}\r\n{text}".encode(encoding)) == list(enumerate(expected, 2))


def test_a_workbook_or_another_archive_is_told(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "labels.xlsx", "w") as file:
        file.writestr("xl/workbook.xml", "<workbook/>")
    sentence = r"labels\.xlsx is a zip archive, as workbooks are; unzip it, or save it as CSV in UTF-8"
    with pytest.raises(LabelError, match=sentence):
        list(rows(tmp_path / "labels.xlsx"))


def test_tabs_separate_in_a_tsv(tmp_path: Path) -> None:
    assert read(tmp_path, b"a, b.jpg\tc, d\n", "a.TSV") == [(1, ["a, b.jpg", "c, d"])]


def test_lines_are_counted_and_blank_rows_passed_over(tmp_path: Path) -> None:
    assert read(tmp_path, b'\n , \na,b\n\n"1\n2",3\n,\n4\n') == [(3, ["a", "b"]), (5, ["1\n2", "3"]), (8, ["4"])]
    assert read(tmp_path, b"") == []


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"a,b\n1,2\n\n1,2,3\n", r"a\.csv line 4 has 3 cells, its header 2; quote values that hold a separator"),
        (b'a,b\n1,"2\n', r"a\.csv line 2 is not CSV: unexpected end of data; mend it, its quotes first"),
        (b"a,b\n\xe9,2\n", r"a\.csv is not UTF-8 text; save it as CSV in UTF-8"),
        ("a,b\n1,2\n".encode("utf-16-le"), r"a\.csv is not UTF-8 text"),
        ("a,b\n1,2\n".encode("utf-16")[:-1], r"a\.csv is not UTF-8 text"),
        (b"sep=;\na;b\n1;2;3\n", r"a\.csv line 3 has 3 cells, its header 2"),
    ],
)
def test_what_is_no_such_table_is_told(tmp_path: Path, data: bytes, said: str) -> None:
    with pytest.raises(LabelError, match=said):
        read(tmp_path, data)


def test_other_bytes_may_be_kept(tmp_path: Path) -> None:
    assert read(tmp_path, b"a\n\xe9\n", errors="surrogateescape") == [(1, ["a"]), (2, ["\udce9"])]


def test_a_column_is_known_by_any_of_its_names() -> None:
    assert column(["id", "FileName ", "item"], IMAGE) == 2
    assert column(["", "id", "FileName ", "other"], IMAGE) == 2
    assert column(["image_id", "file_name"], IMAGE) == 1
    assert [column(["name", said], LABEL) for said in ("category", "Choice")] == [1, 1]
    assert column(["target", "Class"], LABEL) == 1
    assert column(["photo"], IMAGE) is None
