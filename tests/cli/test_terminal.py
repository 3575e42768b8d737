import csv
import errno
import json
import os
import re
from pathlib import Path

import pytest
from PIL import Image

from pickwell.cli import main
from pickwell.cli.terminal import plain
from pickwell.errors import of_system
from pickwell.loop.creation import create
from pickwell.spelling import STEERING, printable

ODD = "a\x1b]0;owned\x07[bold]\u202egpj.exe\nround 9.png"


@pytest.fixture
def campaign(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    Image.new("L", (16, 16)).save(tmp_path / "photos" / ODD)
    quick = {"training.epochs": 1, "model.width": 0.25, "strategy.name": "random"}
    create(tmp_path / "campaign", tmp_path / "photos", classes=["gull", "heron"], settings=quick)
    return tmp_path / "campaign"


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["pickwell", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0)


def steers(text: str) -> bool:
    return any(STEERING.search(line) for line in text.split("\n"))


def test_names_cannot_steer_the_terminal(
    campaign: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "ask", campaign, "--budget", 1) == 0
    shown = capsys.readouterr().out
    assert "a\\x1b]0;owned\\x07[bold]\\u202egpj.exe\\nround 9.png" in shown
    assert not steers(shown)


def test_errors_about_such_names_cannot_either(
    campaign: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "run", campaign, "--rounds", 1, "--budget", 1) == 2
    told = capsys.readouterr().err
    assert "(a\\x1b]0;owned" in told
    assert not steers(told)
    assert told.count("\n") == 1


def test_files_and_programs_get_the_very_name(
    campaign: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "ask", campaign, "--budget", 1, "--json") == 0
    assert json.loads(capsys.readouterr().out)["picks"][0]["name"] == ODD
    with (campaign / "to-label.csv").open(newline="", encoding="utf-8") as file:
        assert next(csv.DictReader(file))["name"] == ODD


@pytest.mark.parametrize("text", ["ünïcödé-图片 👩‍👩‍👧.jpg", "back\\slash[/]", "plain.png"])
def test_other_letters_are_left_alone(text: str) -> None:
    from rich.text import Text

    assert printable(text) == text
    assert Text.from_markup(plain(text)).plain == text


def test_names_reach_rich_in_one_way() -> None:
    import pickwell.cli

    sources = [path for path in Path(pickwell.cli.__file__).parent.glob("*.py") if path.name != "terminal.py"]
    assert not [path.name for path in sources if "escape(" in path.read_text() or "markup=True" in path.read_text()]


@pytest.mark.parametrize(
    ("number", "step"),
    [
        (errno.ENOSPC, "free some space there"),
        (errno.EACCES, "give yourself permission there, or name another place"),
        (errno.EROFS, "choose a place that can be written to"),
        (errno.EDOM, "mend that"),
    ],
)
def test_what_the_system_says_comes_with_a_next_step(
    campaign: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: int, step: str
) -> None:
    def fails(*_: object) -> None:
        raise OSError(number, os.strerror(number), "to-label.csv")

    monkeypatch.setattr("pickwell.campaign.status.status_of", fails)
    assert run(monkeypatch, "status", campaign, "--json") == 2
    said = capsys.readouterr()
    sentence = f"to-label.csv: {os.strerror(number)}; {step} and repeat the command"
    assert said.err == f"pickwell: {sentence}\n"
    assert json.loads(said.out) == {"error": sentence}


def test_a_list_cannot_be_written_over_a_directory(
    campaign: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "ask", campaign, "--budget", 1, "--out", tmp_path) == 2
    assert re.search(r"; name a file, not a directory and repeat the command\n$", capsys.readouterr().err)


def test_errors_without_a_file_are_the_systems() -> None:
    assert of_system(OSError("odd")) == "the operating system: odd; mend that and repeat the command"


def test_names_are_no_emoji_codes(capsys: pytest.CaptureFixture[str]) -> None:
    from rich.table import Table

    from pickwell.cli import show

    table = Table("name", box=None)
    table.add_row(plain("photo:cat:1.jpg"))
    show.out.print(plain("photo:cat:1.jpg"))
    show.laid_out(table)
    assert capsys.readouterr().out.count("photo:cat:1.jpg") == 2
