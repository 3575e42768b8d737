"""Label files in and out. One file, one format, one name: `label_studio.py` is `label-studio`; nothing is registered.

A format is a module that has any of: `read(where, context)`, `write(out, labelled, context)` and `ask(out, question)`,
which writes the to-label list. `TASKS` are the kinds of task that it is for, by default all of them; `KINDS` is what
`write` can say of an image, by default answers alone; `OPTIONS` are the options of `export` that `write` or
`ask` heeds. docs/formats.md says what each keeps to.
"""

from collections.abc import Iterable
from types import ModuleType
from typing import Any

from pickwell import tasks
from pickwell.errors import SettingsError
from pickwell.registry import Registry

__all__ = ["available", "listed", "named"]

DOING = {"read": "imported", "write": "exported", "ask": "written as a to-label list"}
"""What a format may do, as sentences say it."""


def _format(found: Any) -> ModuleType:
    if not any(hasattr(found, doing) for doing in DOING):
        raise TypeError(f"{found!r} has none of {', '.join(DOING)}")
    module: ModuleType = found
    return module


# Modules beside the formats that are none.
ROOM = Registry("format", __name__, _format, without=frozenset({"to_label_csv", "exchange", "exporting", "importing"}))

available = ROOM.available


def named(name: str, doing: str = "", task: str = "") -> ModuleType:
    """The format of that name, if it can do that (`read`, `write` or `ask`) for that task; else a SettingsError."""
    found = ROOM.named(name)
    if not _can(found, doing, task):
        able = [other for other, module in sorted(ROOM.everything().items()) if _can(module, doing, task)]
        of_task = f" of {task}" if task else ""
        raise SettingsError(f"labels{of_task} cannot be {DOING[doing]} as {name}; available: {', '.join(able)}")
    return found


def tasks_of(module: ModuleType) -> list[str]:
    """The kinds of task whose labels the format is for."""
    return list(getattr(module, "TASKS", tasks.available()))


def check_options(name: str, doing: str, given: Iterable[str]) -> None:
    """Refuses, with a SettingsError, options of `export` that the format would pass over when it does that."""
    for option in given:
        able = [
            (other, what)
            for other, module in sorted(ROOM.everything().items())
            for what, heeded in getattr(module, "OPTIONS", {}).items()
            if option in heeded
        ]
        if (name, doing) not in able:
            ways = " or ".join(f"--format {other}" + " --to-label" * (what == "ask") for other, what in able)
            raise SettingsError(f"{option} changes nothing there: it goes with {ways}; leave it out, or export so")


def listed() -> list[dict[str, Any]]:
    """What is to be said of each format: its `tasks`, and what labels `can_be` with it."""
    found = ROOM.listed()
    for facts in found:
        module = ROOM.named(facts["name"])
        facts["tasks"] = tasks_of(module)
        facts["can_be"] = [said for doing, said in DOING.items() if _can(module, doing, "")]
    return found


def _can(module: ModuleType, doing: str, task: str) -> bool:
    return (not doing or hasattr(module, doing)) and (not task or task in tasks_of(module))
