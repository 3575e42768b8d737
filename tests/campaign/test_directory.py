"""A new directory appears whole or not at all, and never at the cost of what is a person's own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pickwell.campaign import directory
from pickwell.campaign.directory import INSIDE, new_directory
from pickwell.errors import PoolError

# Forks, so that Python begins once: each child is killed before another one of its moves.
KILLED = """
import os, signal, sys
from pathlib import Path
from pickwell.campaign import directory
from pickwell.campaign.directory import new_directory

def make(root):
    with new_directory(root) as partial:
        (partial / "pool").mkdir()
        (partial / "pool" / "manifest").write_text("whole")
        (partial / "test").symlink_to("pool", target_is_directory=True)
        for name in ("pickwell.sqlite", "campaign.toml"):
            (partial / name).write_text("whole")

def killed(root, before):
    if (child := os.fork()) == 0:
        moved, rename = [], Path.rename
        def move(path, target):
            if len(moved) == before:
                os.kill(os.getpid(), signal.SIGKILL)
            moved.append(path)
            return rename(path, target)
        Path.rename = move
        make(root)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

for root, moments in zip(sys.argv[1::2], sys.argv[2::2]):
    for before in map(int, moments.split()):
        code = killed(Path(root), before)
        assert code == -signal.SIGKILL, code
"""


def killed(moments: dict[Path, str]) -> None:
    """Makes each directory again and again, killed each time before so many moves."""
    told = [word for pair in moments.items() for word in pair]
    done = subprocess.run([sys.executable, "-c", KILLED, *told], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def fill(root: Path) -> None:
    with new_directory(root) as partial:
        (partial / "pool").mkdir()
        (partial / "campaign.toml").write_text("again")


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")


@needs_fork
def test_what_a_kill_left_half_made_is_made_again(tmp_path: Path) -> None:
    # Of four moves the last one makes it whole; kills after the first fall into taking back what was moved, too.
    moments = {tmp_path / when: when for when in ("0", "1", "3", "3 2", "3 1 2 3")}
    for root in moments:
        root.mkdir()
    killed(moments)
    for root in moments:
        assert not (root / "campaign.toml").exists()
        fill(root)
        assert sorted(path.name for path in root.iterdir()) == ["campaign.toml", "pool"]
        assert list((root / "pool").iterdir()) == []


@needs_fork
@pytest.mark.parametrize("name", ["diary.txt", "pool", "pickwell.sqlite"])
def test_what_a_person_put_there_stays(tmp_path: Path, name: str) -> None:
    killed({tmp_path: "3"})
    own = tmp_path / name
    if own.is_dir():
        own.rename(tmp_path / INSIDE / "gone")
    own.unlink(missing_ok=True)
    own.write_text("my own")
    with pytest.raises(PoolError, match="already exists and is not empty"):
        fill(tmp_path)
    assert own.read_text() == "my own"


@needs_fork
def test_a_kill_beside_a_directory_that_is_not_there_yet(tmp_path: Path) -> None:
    killed({tmp_path / "new": "0"})
    assert not (tmp_path / "new").exists()
    fill(tmp_path / "new")
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_a_move_that_fails_is_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rename = Path.rename

    def stopped(path: Path, target: Path) -> Path:
        if path.name == "campaign.toml":
            raise KeyboardInterrupt
        return rename(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", stopped)
        with pytest.raises(KeyboardInterrupt):
            fill(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_comes_meanwhile_is_not_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled = directory._empty

    def meanwhile(partial: Path) -> None:
        filled(partial)
        (tmp_path / "campaign.toml").write_text("my own")

    monkeypatch.setattr(directory, "_empty", meanwhile)
    with pytest.raises(PoolError, match=r"campaign\.toml has come while .* was filled; move it away"):
        fill(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["campaign.toml"]
    assert (tmp_path / "campaign.toml").read_text() == "my own"
