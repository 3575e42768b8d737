"""Where work runs: in this process, in some of this machine, or where another package's executor lets it run."""

import inspect
from typing import Any

from pickwell.executors.executor import Executor
from pickwell.registry import Registry

__all__ = ["Executor", "available", "create"]


def _class_of(found: Any) -> type[Any]:
    """The executor in a module, which is the one that bears its name, or the class itself."""
    return found if inspect.isclass(found) else getattr(found, found.__name__.rpartition(".")[2].title())


ROOM = Registry("executor", __name__, _class_of, without=frozenset({"executor"}))

available = ROOM.available


def create(name: str, jobs: int) -> Executor:
    """The executor of that name, which runs `jobs` tasks at a time."""
    executor: Executor = ROOM.named(name)(jobs)
    return executor
