"""Which key means what, on keyboards of several countries; in Node.js, which needs no browser."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

Press = Mapping[str, object]
NODE = shutil.which("node")
SHOW = """
const classes = JSON.parse(process.argv[2]);
globalThis.document = { getElementById: (id) => (id === "told" ? { textContent: JSON.stringify({ classes }) } : null) };
globalThis.localStorage = { getItem: () => null };
const { meaning } = await import("./keys.mjs");
console.log(JSON.stringify(JSON.parse(process.argv[3]).map(meaning)));
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    static = files("pickwell.web") / "static"
    for name in ("keys", "session"):
        text = (static / f"{name}.js").read_text(encoding="utf-8").replace("/static/session.js", "./session.mjs")
        (tmp_path / f"{name}.mjs").write_text(text, encoding="utf-8")
    (tmp_path / "show.mjs").write_text(SHOW, encoding="utf-8")
    return tmp_path


def meant(folder: Path, classes: list[str], *presses: Press) -> list[Any]:
    command = [str(NODE), "show.mjs", json.dumps(classes), json.dumps(presses)]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return list(json.loads(done.stdout))


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
