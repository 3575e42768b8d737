"""What a key means and whom it is for, and what the pages share; in Node.js, which needs no browser."""

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

Press = Mapping[str, object]
NODE = shutil.which("node")
PAGE = """
const [classes, given] = process.argv.slice(2).map((text) => JSON.parse(text));
globalThis.document = {
  getElementById: (id) => (id === "told" ? { textContent: JSON.stringify({ classes }) } : null),
  querySelector: () => null,
};
globalThis.localStorage = { getItem: () => null };
"""
MEANT = """
const { meaning } = await import("./keys.mjs");
console.log(JSON.stringify(given.map(meaning)));
"""
# What the page does on each press, by the tag of what has the focus; a press that is left to the browser does nothing.
DONE = """
globalThis.Element = class {
  constructor(tag) { this.tag = tag; }
  closest(selectors) { return selectors.split(", ").includes(this.tag) ? this : null; }
};
let heard;
globalThis.addEventListener = (_, listener) => { heard = listener; };
const { listen, meaning } = await import("./keys.mjs");
const done = [];
listen(meaning, { accept: () => done.push("accept") }, [], (label) => done.push(label));
for (const [tag, key] of given) {
  const before = done.length;
  heard({ key, target: new Element(tag), preventDefault: () => {} });
  if (done.length === before) done.push(null);
}
console.log(JSON.stringify(done));
"""
SECONDS = """
const { secondsSince } = await import("./session.mjs");
performance.now = () => 300_000_123.4567;
console.log(JSON.stringify(given.map(secondsSince)));
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    static = files("pickwell.web") / "static"
    for name in ("keys", "session"):
        text = (static / f"{name}.js").read_text(encoding="utf-8").replace("/static/session.js", "./session.mjs")
        (tmp_path / f"{name}.mjs").write_text(text, encoding="utf-8")
    return tmp_path


def ran(folder: Path, script: str, classes: list[str], given: Sequence[object]) -> list[Any]:
    (folder / "script.mjs").write_text(PAGE + script, encoding="utf-8")
    command = [str(NODE), "script.mjs", json.dumps(classes), json.dumps(given)]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return list(json.loads(done.stdout))


def meant(folder: Path, classes: list[str], *presses: Press) -> list[Any]:
    return ran(folder, MEANT, classes, presses)


@pytest.mark.skipif(NODE is None, reason="no Node.js")
def test_digits_are_classes_whatever_else_their_keys_show(folder: Path) -> None:
    birds = ["owl", "tit", "jay", "gull", "tern", "coot"]
    english: list[Press] = [{"key": "6", "code": "Digit6"}, {"key": "-", "code": "Minus"}, {"key": "q", "code": "KeyQ"}]
    assert meant(folder, birds, *english) == [{"label": "coot"}, {"move": "smaller"}, None]
    french: list[Press] = [{"key": "-", "code": "Digit6"}, {"key": "6", "code": "Digit6", "shiftKey": True}]
    assert meant(folder, birds, *french) == [{"label": "coot"}] * 2
    assert meant(folder, birds[:5], *french) == [{"move": "smaller"}, None]
    german: list[Press] = [{"key": "/", "code": "Digit7", "shiftKey": True}, {"key": "7", "code": "Digit7"}]
    assert meant(folder, [*birds, "wren"], *german) == [{"move": "find"}, {"label": "wren"}]
    czech: list[Press] = [{"key": "+", "code": "Digit1"}, {"key": "z", "code": "KeyZ", "ctrlKey": True}]
    assert meant(folder, birds, *czech) == [{"label": "owl"}, {"move": "undo"}]


@pytest.mark.skipif(NODE is None, reason="no Node.js")
def test_letters_of_other_scripts_are_what_stands_at_their_place_on_a_latin_keyboard(folder: Path) -> None:
    birds = [f"bird {number}" for number in range(12)]
    russian: list[Press] = [
        {"key": "ф", "code": "KeyA"},
        {"key": "Ы", "code": "KeyS", "shiftKey": True},
        {"key": "я", "code": "KeyZ", "ctrlKey": True},
        {"key": "ю", "code": "Period"},
    ]
    assert meant(folder, birds, *russian) == [
        {"label": "bird 10"},
        {"move": "skip"},
        {"move": "undo"},
        {"move": "repeat"},
    ]
    greek: Press = {"key": "λ", "code": "KeyI"}
    assert meant(folder, birds, greek, {"key": "٣", "code": "Digit3"}) == [{"move": "ignore"}, {"label": "bird 2"}]
    # Latin letters mean themselves, wherever they stand.
    turkish_and_french: list[Press] = [{"key": "\u0131", "code": "KeyI"}, {"key": "a", "code": "KeyQ"}]
    assert meant(folder, birds, *turkish_and_french) == [None, {"label": "bird 10"}]


@pytest.mark.skipif(NODE is None, reason="no Node.js")
def test_enter_is_for_the_link_or_button_that_has_the_focus_and_letters_are_for_fields(folder: Path) -> None:
    tags = ("body", "a", "button", "summary", "input", "select", "textarea")
    assert ran(folder, DONE, ["owl"], [[tag, "Enter"] for tag in tags]) == ["accept"] + [None] * 6
    assert ran(folder, DONE, ["owl"], [[tag, "1"] for tag in tags]) == ["owl"] * 4 + [None] * 3


@pytest.mark.skipif(NODE is None, reason="no Node.js")
def test_a_page_left_open_for_days_tells_no_more_seconds_than_are_taken(folder: Path) -> None:
    assert ran(folder, SECONDS, [], [300_000_000, 299_000_000.4, 0]) == [0.123, 1000.123, 86_400]
