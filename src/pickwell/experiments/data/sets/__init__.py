"""The paper's data sets in their official layouts: one file a set, each with a table `SETS` of name to `find`."""

import pkgutil
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path

from pickwell.errors import PoolError, unknown
from pickwell.experiments.data.sets.layout import Layout, missing

__all__ = ["Layout", "available", "find", "missing"]

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
    return Layout(path, labels_from_folders=path.is_dir() and not any(path.glob("*.parquet")))


@cache
def _table() -> Mapping[str, Find]:
    modules = [import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]
    return {name: found for module in modules for name, found in getattr(module, "SETS", {}).items()}
