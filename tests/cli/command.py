"""The command line in this process."""

import json
from typing import Any

import pytest

from pickwell.cli import main


class Cli:
    """Runs a command: exit code, stdout, stderr."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.monkeypatch, self.capsys = monkeypatch, capsys

    def __call__(self, *arguments: object) -> tuple[int, str, str]:
        self.monkeypatch.setattr("sys.argv", ["pickwell", *map(str, arguments)])
        code: Any = 0
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        out, err = self.capsys.readouterr()
        return code, out, err

    def json(self, *arguments: object) -> dict[str, Any]:
        """What a command that ends well says to programs."""
        code, out, err = self(*arguments, "--json")
        assert code == 0, out + err
        found: dict[str, Any] = json.loads(out)
        return found
