"""Two commands on one campaign at once, and a person who stops one; each command is a process of its own."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pickwell.errors import BusyError
from pickwell.loop.campaign import Campaign
from pickwell.loop.creation import create

QUICK: dict[str, Any] = {
    "model.width": 0.25,
    "training.epochs": 1,
    "training.augment": "none",
    "strategy.name": "random",
}
COMMAND = [sys.executable, "-W", "error", "-c", "from pickwell.cli import main; main()"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("two")
    for name in ("cat", "dog"):
        (root / "photos" / name).mkdir(parents=True)
        for shade in range(30):
            path = root / "photos" / name / f"{'a name too long for a terminal ' * 4}{shade}.png"
            Image.new("L", (16, 16), 8 * shade + (name == "dog")).save(path)
    create(root / "campaign", root / "photos", settings=QUICK, labels_from_folders=True)
    return root / "campaign"


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "campaign")
    return tmp_path / "campaign"


def begin(*arguments: object, prefix: tuple[str, ...] = ()) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*prefix, *COMMAND, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A job in the background ignores Ctrl-C, and so would whatever it starts: the tests themselves may be one.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def test_the_second_says_whom_it_waits_for_and_goes_on(
    root: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from pickwell.campaign import directory

    monkeypatch.setattr(directory, "SOON", 0.01)
    monkeypatch.setattr(directory, "PATIENCE", 0.1)
    with Campaign(root) as first, Campaign(root) as second:
        with first.directory.exclusive("fit"), pytest.raises(BusyError, match=r"waited 0\.1 s: try again later"):
            second.ask(5)
        assert caplog.messages == [f"ask waits up to 0.1 s for process {os.getpid()} (fit)"]
        assert len(second.ask(5).picks) == 5


@pytest.mark.slow
def test_a_command_waits_ten_seconds(root: Path) -> None:
    with Campaign(root) as campaign, campaign.directory.exclusive("fit"):
        began = time.monotonic()
        process = begin("ask", root, "--budget", 5, "--json")
        out, err = process.communicate(timeout=120)
        assert time.monotonic() - began > 10
    assert process.returncode == BusyError.code == 75
    assert json.loads(out)["error"].endswith("ask waited 10 s: try again later")
    waiting, gave_up = err.splitlines()
    assert waiting == f"ask waits up to 10 s for process {os.getpid()} (fit)"
    assert gave_up.startswith("pickwell: the campaign at ")


@pytest.mark.slow
def test_tells_beside_questions_and_fits(root: Path) -> None:
    """Imports arrive one by one while another process asks and fits: all are kept, and no label is asked for."""
    told: set[int] = set()
    asking = [begin("run", root, "--rounds", 1, "--budget", 3, "--json") for _ in range(2)]
    with Campaign(root) as campaign:
        while any(process.poll() is None for process in asking):
            # Asked for a moment before, it is an answer; told already, a correction: both are welcome.
            item = 2 * len(told) % 48
            campaign.tell({item: str(campaign.pool.item(item).known)}, imported=True)
            told.add(item)
            time.sleep(0.1)
    for process in asking:
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0 or re.search("is still open|is in use by|is closed already", err), err
        assert "Traceback" not in err
    with Campaign(root) as campaign:
        labels = campaign.store.labels()
        assert told <= set(labels.items.tolist())
        assert len(told) > 5
        assert all(campaign.pool.item(i).known == v for i, v in zip(labels.items.tolist(), labels.values, strict=True))
        assert campaign.fit().labels == len(labels)


def test_ctrl_c_while_people_answer_loses_nothing(root: Path) -> None:
    process = begin("run", root, "--rounds", 1, "--budget", 4, "--oracle", "human")
    assert process.stderr
    assert "Ctrl-C ends, every label is kept" in process.stderr.readline()
    with Campaign(root) as campaign:
        while (question := campaign.store.current()) is None:
            time.sleep(0.05)
        first = question.picks[0].item
        campaign.tell({first: str(campaign.pool.item(first).known)})
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 130
        assert out == ""
        assert err.splitlines()[-1] == (
            "pickwell: stopped; what was acknowledged is kept, the same command goes on from there"
        )
        assert "Traceback" not in err
        assert campaign.store.labels().items.tolist() == [first]
        assert len(campaign.ask(4).waiting) == 3


def test_a_pipe_gets_whole_lines_and_no_colours(root: Path) -> None:
    process = begin("ask", root, "--budget", 5)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert len([line for line in out.splitlines() if re.search(r"a name too long.*\d+\.png +\d\.\d{4}", line)]) == 5
    assert "\x1b" not in out


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_terminal_without_colours(root: Path) -> None:
    import pty

    ours, theirs = pty.openpty()
    environment = {**os.environ, "NO_COLOR": "1", "TERM": "xterm-256color"}
    process = subprocess.Popen([*COMMAND, "status", str(root)], stdout=theirs, stderr=theirs, env=environment)
    assert process.wait(60) == 0
    os.close(theirs)
    shown = b""
    while part := _read(ours):
        shown += part
    os.close(ours)
    assert b"60 images" in shown
    assert not re.search(rb"\x1b\[[0-9;]*(3[0-7]|9[0-7]|4[0-7])m", shown)


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except OSError:  # how Linux says that the other end is closed
        return b""


CAPABLE = ("--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search")


@pytest.mark.skipif(os.name != "posix", reason="rights are POSIX's")
@pytest.mark.parametrize("command", ["status", "ask"])
def test_a_read_only_campaign_is_told_of(root: Path, command: str) -> None:
    prefix: tuple[str, ...] = ()
    if os.geteuid() == 0:  # root may write anywhere, unless it lays that right down
        setpriv = shutil.which("setpriv")
        if not setpriv:
            pytest.skip("root writes anywhere")
        prefix = (setpriv, *CAPABLE)
    paths = [root, *root.rglob("*")]
    rights = [path.stat().st_mode for path in paths]
    try:
        for path in paths:
            path.chmod(path.stat().st_mode & 0o555)
        process = begin(command, root, *(("--budget", 2) if command == "ask" else ()), prefix=prefix)
        out, err = process.communicate(timeout=60)
    finally:
        for path, mode in zip(paths, rights, strict=True):
            path.chmod(mode)
    assert (process.returncode, out) == (2, "")
    assert "it is read-only; nothing was changed: check the rights of the file and its directory" in err
    assert err.count("\n") == 1
