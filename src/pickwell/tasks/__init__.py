"""The kinds of task: one folder each, with all in which it differs from the others.

A folder holds `KIND.py` with a `Task` that needs no torch (what a label is, which answers are refused, which settings
suit), `learning.py` with a `TaskLearning` (pixels, network, loss, figures) and, where it shows more than others do,
`page.py` and `report.py`. docs/architecture.md says what each must have.
"""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pickwell.registry import Registry, class_in
from pickwell.tasks.task import Task

if TYPE_CHECKING:
    from pickwell.config import Settings

__all__ = ["Task", "available", "named", "of", "part"]


def _class_of(found: Any) -> type[Task]:
    """The task in a folder's file of the same name, or the class itself."""
    if not isinstance(found, type):
        found = import_module(f"{found.__name__}.{found.__name__.rpartition('.')[2]}")
    return class_in(found, Task)  # type: ignore[type-abstract]


ROOM = Registry("kind of task", __name__, _class_of, without=frozenset({"task"}))

available, named = ROOM.available, ROOM.named


def part(task: Task, name: str) -> ModuleType | None:
    """The file of that name beside the task's class, imported; None where there is none."""
    module = f"{type(task).__module__.rpartition('.')[0]}.{name}"
    return import_module(module) if find_spec(module) else None


def of(settings: "Settings", folder: Path) -> Task:
    """The task that settings describe, checked; `folder` is the campaign's."""
    task = named(settings.task.kind)(settings.task, folder)
    task.check_settings(settings)
    return task
