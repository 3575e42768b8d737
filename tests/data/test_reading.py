import os
import socket
from pathlib import Path

import pytest

from pickwell.data.image_errors import ImageError, Reason
from pickwell.data.reading import read_bytes


def test_what_is_no_regular_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "folder.jpg").mkdir()
    for name, said in (("pipe.jpg", "a device or a pipe"), ("folder.jpg", "it is a folder")):
        with pytest.raises(ImageError, match=f"^not a regular file: {said}"):
            read_bytes(tmp_path / name, 100)


def test_a_socket_is_unreadable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # socket paths are short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("s.jpg")
        with pytest.raises(ImageError, match=r"^unreadable file"):
            read_bytes(tmp_path / "s.jpg", 100)


@pytest.mark.parametrize("name", ["none.jpg", "no/folder.jpg"])
def test_missing_files(tmp_path: Path, name: str) -> None:
    with pytest.raises(ImageError, match=f"^missing file: .*{name}"):
        read_bytes(tmp_path / name, 100)


@pytest.mark.parametrize("name", ["nul\0.jpg", "x" * 300 + ".jpg"])
def test_impossible_names_are_unreadable(tmp_path: Path, name: str) -> None:
    with pytest.raises(ImageError) as caught:
        read_bytes(tmp_path / name, 100)
    assert caught.value.reason is Reason.UNREADABLE


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_no_permission(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "a").chmod(0)
    with pytest.raises(ImageError, match=r"^unreadable file: Permission denied"):
        read_bytes(tmp_path / "a", 100)


def test_the_size_is_bounded(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(1001))
    assert read_bytes(tmp_path / "a", 1001) == bytes(1001)
    with pytest.raises(ImageError, match=r"^too large: 1,001 bytes; at most 1,000 are read"):
        read_bytes(tmp_path / "a", 1000)
