from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pickwell.errors import SettingsError
from pickwell.labels import read_class_list, split_void


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
