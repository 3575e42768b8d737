from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pickwell.errors import LabelError, SettingsError
from pickwell.labels import check_class, check_classes, class_indices, read_class_list, split_void


def test_a_name_a_line_and_its_place_is_its_value(tmp_path: Path) -> None:
    path = tmp_path / "classes.txt"
    path.write_bytes("\ufeffsky\r\n road \r\n!void\r\nzebra crossing\r\n\r\n".encode())
    names = read_class_list(path)
    assert names == ["sky", "road", "!void", "zebra crossing"]
    assert split_void(names) == (("sky", "road", "zebra crossing"), (2,))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", r"classes\.txt' is empty; write one name a line"),
        (b"\n \n", r"classes\.txt' is empty"),
        (b"# our classes\nsky\n", r"classes\.txt' has '# our classes' in line 1; .* it can hold no comments"),
        (b"sky\n\nroad\n", r"classes\.txt' is blank in line 2; a name's line is its value"),
        (b"sk\xff\n", r"classes\.txt' is not UTF-8 text"),
        (b"sky\n" * (1 << 18) + b"x", r"classes\.txt' is larger than 1 MiB"),
    ],
)
def test_what_is_no_class_list_is_named(tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / "classes.txt").write_bytes(content)
    with pytest.raises(SettingsError, match=sentence):
        read_class_list(tmp_path / "classes.txt")


def test_a_class_list_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.txt' cannot be read: No such file or directory; name a text file"):
        read_class_list(tmp_path / "none.txt")
    with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
        read_class_list(tmp_path)


@given(st.lists(st.booleans(), max_size=20))
def test_classes_and_void_values_are_the_whole_list(voids: list[bool]) -> None:
    names = [f"!{place}" if void else str(place) for place, void in enumerate(voids)]
    classes, void = split_void(names)
    assert sorted([*void, *map(int, classes)]) == list(range(len(names)))
    assert list(void) == [place for place, is_void in enumerate(voids) if is_void]


FINE = (
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian with a joiner that is no character to print
    "\u732b\u3000\u767d",
    "10\u00a0mm",
    "\U0001f469\u200d\U0001f33e",
    "3.45\u202fPM",
    "bird",
)


def test_classes_of_any_language_are_fine() -> None:
    assert check_classes(FINE) == FINE


@pytest.mark.parametrize("sign", ["\x00", "\n", "\x1b", "\x7f", "\x9b", "\u202e", "\u2066", "\u2028", "\ud800"])
def test_classes_cannot_steer_a_screen(sign: str) -> None:
    with pytest.raises(
        SettingsError, match=r"a class cannot be named 'a\\[nux][0-9a-f]*b': a name has .* no control char"
    ):
        check_classes(["cat", f"a{sign}b"])


MUELLER, MUELLER_NFD = "M\u00fcller", "Mu\u0308ller"


def test_a_class_from_a_mac_and_one_from_windows_are_one_class() -> None:
    for here, there in ((MUELLER, MUELLER_NFD), (MUELLER_NFD, MUELLER)):
        assert check_class(there, ("cat", here)) == here
        assert class_indices([there, here, "cat"], ("cat", here)).tolist() == [1, 1, 0]
        with pytest.raises(SettingsError, match="twice; name each class once"):
            check_classes([here, there])
    with pytest.raises(LabelError, match="unknown class 'Mueller'; did you mean"):
        check_class("Mueller", (MUELLER,))
