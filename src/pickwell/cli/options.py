"""The options and arguments that several commands share."""

import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer

from pickwell.errors import SettingsError

Where = Annotated[Path, typer.Argument(metavar="DIR", help="The campaign's directory.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object, for programs.")]
Chosen = Annotated[str | None, typer.Option("--strategy", help="A strategy other than the campaign's own.")]
Sets = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A setting, e.g. training.epochs=20.")
]


def changes(sets: list[str] | None) -> dict[str, Any]:
    """`key=value` pairs; a value is read as TOML where it is TOML, else as text."""
    found: dict[str, Any] = {}
    for pair in sets or ():
        key, equals, text = pair.partition("=")
        if not equals or not key.strip():
            raise SettingsError(f"--set {pair}: a setting is given as KEY=VALUE, e.g. --set training.epochs=20")
        try:
            found[key.strip()] = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            found[key.strip()] = text
    return found
