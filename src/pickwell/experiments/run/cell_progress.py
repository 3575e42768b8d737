"""The rounds of a cell that have ended, for whoever looks from another process: a file, rewritten after each round."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pickwell.files import replacing

ROUNDS = "rounds.json"


def write_rounds(root: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Puts down the rows so far, as the cell's result will have them."""
    with suppress(OSError), replacing(root / ROUNDS) as new:  # what is only looked at must not end the work
        new.write_text(json.dumps(rows, default=plain), encoding="utf-8")


def read_rounds(root: Path) -> list[dict[str, Any]]:
    """The rows so far; those of the result where no file tells them (results are passed on without); [] before any."""
    with suppress(FileNotFoundError):
        found: list[dict[str, Any]] = json.loads((root / ROUNDS).read_text(encoding="utf-8"))
        return found
    with suppress(FileNotFoundError):
        return list(json.loads((root / "result.json").read_text(encoding="utf-8"))["rounds"])
    return []


def changed(root: Path) -> int:
    """When the rows were last written, in nanoseconds of the file system's clock; 0 before that."""
    with suppress(FileNotFoundError):
        return (root / ROUNDS).stat().st_mtime_ns
    return 0


def plain(value: Any) -> Any:
    """What JSON has no word for, as a list, an object or a text."""
    return value.tolist() if hasattr(value, "tolist") else dict(value) if isinstance(value, Mapping) else str(value)
