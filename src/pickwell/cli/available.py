"""strategies, models, formats, encoders: what can be chosen by name, ours and other packages'."""

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from pickwell.cli import show
from pickwell.cli.options import Json
from pickwell.cli.terminal import plain


def strategies(json: Json = False) -> None:
    """List the strategies: what each does, when to use it, and its source."""
    from pickwell.strategies import ROOM

    _print(ROOM.listed(), json=json)


def models(json: Json = False) -> None:
    """List the task networks: what each is, when to use it, its source, and what it can label."""
    from pickwell.models import listed

    _print(listed(), json=json)


def formats(json: Json = False) -> None:
    """List the formats of label files: what each is, when to use it, its source, and what it can do."""
    from pickwell.formats import listed

    _print(listed(), json=json)


def encoders(json: Json = False) -> None:
    """List the encoders: what each is, its vectors' length, size and licence, and the command that brings it."""
    from pickwell.encoders import listed

    _print(listed(), json=json)


def _print(facts: Sequence[dict[str, Any]], *, json: bool) -> None:
    """A row a thing; the package only of what is not ours."""
    columns = [name for name in facts[0] if name != "package"]
    table = Table(*(name.replace("_", " ") for name in columns), box=None, header_style="bold")
    for one in facts:
        values = [_said(one[name]) for name in columns]
        values[0] += "" if one["package"] == "pickwell" else f" ({one['package']})"
        table.add_row(*map(plain, values))
    show.say({one.pop("name"): one for one in facts}, table, json=json)


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) if isinstance(value, list) else "" if value is None else str(value)
