import errno
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from pickwell.errors import BusyError
from pickwell.files import digest, locked, replacing


@pytest.mark.parametrize("durable", [True, False])
def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path, durable: bool) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), replacing(path, durable=durable) as new:
        assert new.write_text("ne") / 0
    assert path.read_text() == "old"
    with path.open() as opened_before:
        with replacing(path, durable=durable) as new:
            new.write_text("new")
            assert path.read_text() == "old"
        assert opened_before.read() == "old"  # another file took its place: nothing was written over
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "masks"
    with pytest.raises(FileNotFoundError), replacing(path) as new:
        new.mkdir() or (new / "deep" / "deeper").mkdir()  # type: ignore[func-returns-value]
    assert not list(tmp_path.iterdir())
    with replacing(path) as new:
        (new / "deep").mkdir(parents=True)
        (new / "deep" / "1.png").write_text("mask")
        assert not path.exists()
    assert (path / "deep" / "1.png").read_text() == "mask"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_told_with_the_files_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "a"
    path.write_text("old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left on device") as caught, replacing(path) as new:
        new.write_text("new")
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(path))
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_of_another_file_keeps_its_name(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught, replacing(tmp_path / "a"):
        (tmp_path / "b").read_bytes()
    assert caught.value.filename == str(tmp_path / "b")
    with pytest.raises(FileNotFoundError) as caught, replacing(tmp_path / "none" / "a") as new:
        new.write_text("new")
    assert caught.value.filename == str(tmp_path / "none" / "a")


def test_what_a_killed_writer_left_goes_with_the_next(tmp_path: Path) -> None:
    (tmp_path / ".a.partial").write_text("half of a file that is longer")
    with replacing(tmp_path / "a") as new:
        new.write_text("new")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_text() == "new"


def test_shared_files_have_several_writers(tmp_path: Path) -> None:
    path, both = tmp_path / "a", Barrier(2)

    def write(letter: str) -> None:
        with replacing(path, shared=True) as new:
            new.write_text(letter)
            both.wait(10)
            assert new.read_text() == letter

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, "xy"))
    assert path.read_text() in "xy"
    assert list(tmp_path.iterdir()) == [path]


def test_a_lock_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    lock = tmp_path / "a.lock"
    with locked(lock, "mine"), pytest.raises(BusyError, match=r"^somebody has it$"), locked(lock, "somebody has it"):
        pytest.fail("two had it")
    with pytest.raises(KeyError), locked(lock, "mine"):
        raise KeyError  # an error ends it, too
    with locked(lock, "mine"):
        assert lock.exists()


def test_digest_is_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert digest(tmp_path / "a") == hashlib.sha256(b"abc").hexdigest()
