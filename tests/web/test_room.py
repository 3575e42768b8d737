"""What the room is made of: no torch, the report's colours, its policy, its progress."""

import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from pickwell.campaign.progress_file import ProgressFile, doing
from pickwell.config import LoopSettings
from pickwell.report.ink import DARK, LIGHT
from pickwell.web.next_round import due


def test_neither_torch_nor_scipy_is_imported() -> None:
    heavy = {"torch", "scipy", "pandas", "altair", "sklearn"}
    code = f"import pickwell.web, pickwell.web.server, sys; print(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.strip() == "[]"


def test_the_page_has_the_reports_colours() -> None:
    style = (files("pickwell.web") / "static" / "page.css").read_text()
    light, dark = style.split("prefers-color-scheme: dark", 1)
    for ink, part in ((LIGHT, light), (DARK, dark)):
        assert f"--paper: {ink.paper}; --ink: {ink.ink}; --muted: {ink.muted}; --grid: {ink.grid};" in part
        assert f"--line-0: {ink.lines[0]}; --line-1: {ink.lines[1]};" in part
        assert f"--text-0: {ink.texts[0]}; --text-1: {ink.texts[1]};" in part


@pytest.mark.parametrize(
    ("when", "is_open", "answered", "left", "expected"),
    [
        ("round", True, 50, 9, False),
        ("round", False, 0, 9, True),
        ("round", False, 0, 0, False),
        ("every", True, 19, 9, False),
        ("every", True, 20, 9, True),
        ("every", True, 20, 0, False),
        ("every", False, 0, 9, True),
        ("hand", False, 0, 9, False),
    ],
)
def test_when_the_next_round_is_due(when: str, is_open: bool, answered: int, left: int, expected: bool) -> None:
    settings = LoopSettings.model_validate({"when": when, "every": 20})
    assert due(settings, is_open=is_open, answered=answered, left=left) is expected


def test_progress_is_told_to_other_processes(tmp_path: Path) -> None:
    now = 1000.0
    told = ProgressFile(tmp_path, lambda: now)
    told("training", 1, 100)
    now += 0.1
    told("training", 2, 100)
    assert (found := doing(tmp_path, now)) is not None
    assert found.done == 1
    now += 9.9
    told("training", 20, 100)
    assert (found := doing(tmp_path, now)) is not None
    assert (found.what, found.done, found.total, found.seconds_left) == ("training", 20, 100, 40.0)
    assert doing(tmp_path, now + 121) is None
    told.close()
    assert doing(tmp_path, now) is None


def test_the_losses_of_a_fit_are_told(tmp_path: Path) -> None:
    told = ProgressFile(tmp_path)
    told.losses({"task": 0.5, "discriminator": float("nan")})
    told.losses({"adversarial": 0.25, "task": 0.4})
    told("training", 1, 1)
    assert (found := doing(tmp_path)) is not None
    assert found.losses == {"task": 0.4, "adversarial": 0.25}
    told("scoring", 1, 1)
    assert (found := doing(tmp_path)) is not None
    assert found.losses == {}


def test_whoever_wrote_no_progress_removes_none(tmp_path: Path) -> None:
    writer, reader = ProgressFile(tmp_path), ProgressFile(tmp_path)
    writer("training", 1, 2)
    reader.close()
    assert doing(tmp_path) is not None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"what": 1}', "null"])
def test_broken_progress_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "fits").mkdir()
    (tmp_path / "fits" / "progress.json").write_text(text)
    assert doing(tmp_path) is None
