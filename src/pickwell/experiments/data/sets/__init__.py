"""The paper's data sets in their official layouts: one file a set, each with a table `SETS` of name to `find`."""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from pickwell.errors import PoolError, unknown
from pickwell.experiments.data.sets.layout import Layout, Part, missing
from pickwell.registry import Registry, whole

__all__ = ["Layout", "Part", "available", "find", "missing", "module"]

ROOM = Registry("data sets' module", __name__, whole, without=frozenset({"layout"}))

Find = Callable[[str, Path, Path], Layout]
"""From the set's name, the folder of all data, and a folder to write an index into, to where its parts are."""


def available() -> list[str]:
    """The names that `find` knows, sorted."""
    return sorted(_table())


def find(name: str, data: Path, into: Path) -> Layout:
    """Where the parts of a data set are: by name below `data`, or a path of one's own; PoolError if missing."""
    if name in _table():
        return _table()[name](name, data, into)
    path = Path(name)
    if not path.exists():
        raise PoolError(
            f"{unknown('data set', name, available())}; or the path of a labelled folder, CSV, Parquet set or feature "
            f"file, and there is nothing at {path.absolute()}"
        )
    # Tables have their labels in them.
    return Layout(Part(path, labels_from_folders=path.is_dir() and not any(path.glob("*.parquet"))))


def module(name: str) -> str | None:
    """The module that knows the data set of that name; None of a path."""
    return next((ROOM.module(file) for file, found in ROOM.everything().items() if name in found.SETS), None)


@cache
def _table() -> Mapping[str, Find]:
    found: dict[str, Find] = {}
    for file in ROOM.everything().values():
        found = {**file.SETS, **found}  # ours come first, and win
    return found
