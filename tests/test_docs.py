"""What the pages say is so: the tests they name exist, their commands are commands, the README's Python runs."""

import re
from pathlib import Path

import pytest
from PIL import Image
from typer.main import get_command

from pickwell.cli.commands import app

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def code(page: Path, language: str) -> str:
    return "\n".join(re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL))


def test_the_tests_that_the_paper_page_names_exist() -> None:
    named = set(re.findall(r"`((?:tests/[\w/]+/)?test_\w+(?:\.py)?)`", (ROOT / "docs/paper.md").read_text()))
    files = list((ROOT / "tests").rglob("test_*.py"))
    there = {name for file in files for name in re.findall(r"def (test_\w+)", file.read_text())}
    there |= {file.name for file in files} | {str(file.relative_to(ROOT)) for file in files}
    assert len(named) > 20
    assert sorted(named - there) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_and_their_options_are_there(page: Path) -> None:
    commands = get_command(app).commands  # type: ignore[attr-defined]
    text = page.read_text(encoding="utf-8")
    lines = re.findall(r"`pickwell ([^`\n]+)`", text) + re.findall(r"^pickwell (.+)$", code(page, "sh"), re.MULTILINE)
    for line in lines:
        name, *rest = line.partition("#")[0].split()
        if name.startswith("-"):
            continue
        assert name in commands, line
        command = commands[name]
        if nested := getattr(command, "commands", None):
            command = nested[rest[0]] if rest and rest[0] in nested else command
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word.partition("=")[0] for word in rest if word.startswith("--")} <= options, line


def test_the_readmes_python_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "photos").mkdir()
    for number in range(60):
        Image.effect_noise((8, 8), 40).convert("RGB").save(tmp_path / "photos" / f"{number:02d}.png")
    monkeypatch.chdir(tmp_path)
    exec(compile(code(ROOT / "README.md", "python"), "README.md", "exec"), {})
    *listed, accuracy = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in listed] == [str(rank) for rank in range(1, 51)]
    assert accuracy == "1.0"  # all were told to be herons
