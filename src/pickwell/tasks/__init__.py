"""The kinds of task: one folder each, with all in which it differs from the others.

A folder holds `KIND.py` with a `Task` that needs no torch (what a label is, which answers are refused, which settings
suit), `learning.py` with a `TaskLearning` (pixels, network, loss, figures) and, where it shows more than others do,
`page.py` and `report.py`. docs/architecture.md says what each must have.
"""

import pkgutil
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from pickwell.errors import SettingsError, unknown
from pickwell.tasks.task import Task

if TYPE_CHECKING:
    from pickwell.config import Settings

__all__ = ["Task", "available", "named", "of"]


def available() -> list[str]:
    """The kinds of task, sorted."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if module.ispkg)


@cache
def named(kind: str) -> type[Task]:
    """The class of a kind; a SettingsError names the nearest one if there is none."""
    if kind not in available():
        raise SettingsError(unknown("kind of task", kind, available()))
    module = import_module(f"{__name__}.{kind}.{kind}")
    (found,) = (
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Task) and value.__module__ == module.__name__
    )
    return found


def of(settings: "Settings", folder: Path) -> Task:
    """The task that settings describe, checked; `folder` is the campaign's."""
    task = named(settings.task.kind)(settings.task, folder)
    task.check_settings(settings)
    return task
