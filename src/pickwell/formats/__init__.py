"""Label files in and out. One file, one format, one name: `label_studio.py` is `label-studio`; nothing is registered.

A format has `TASKS` and any of: `read(where, context)`, `write(out, labelled, context)` and `ask(out, question)`, which
writes the to-label list. docs/formats.md says what each of them keeps to.
"""

import pkgutil
from importlib import import_module
from types import ModuleType

from pickwell.errors import SettingsError, unknown

__all__ = ["available", "named"]

# Modules beside the formats that are none.
_SHARED = {"comma_separated", "exporting", "importing"}


def available() -> list[str]:
    """The names of all formats, sorted."""
    found = (module.name for module in pkgutil.iter_modules(__path__) if not module.ispkg)
    return sorted(name.replace("_", "-") for name in found if name not in _SHARED)


def named(name: str, doing: str = "", task: str = "") -> ModuleType:
    """The format of that name, if it can do that (`read`, `write` or `ask`) for that task; else a SettingsError."""
    if name not in available():
        raise SettingsError(unknown("format", name, available()))
    able = [other for other in available() if _can(_module(other), doing, task)]
    if name not in able:
        said = {"read": "imported", "write": "exported", "ask": "written as a to-label list"}[doing]
        of_task = f" of {task}" if task else ""
        raise SettingsError(f"labels{of_task} cannot be {said} as {name}; available: {', '.join(able)}")
    return _module(name)


def _module(name: str) -> ModuleType:
    return import_module(f"{__name__}.{name.replace('-', '_')}")


def _can(module: ModuleType, doing: str, task: str) -> bool:
    return (not doing or hasattr(module, doing)) and (not task or task in module.TASKS)
