"""The results folder: one folder is of one experiment, to which methods, seeds and variants may be added."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pickwell.config import flat
from pickwell.errors import SettingsError
from pickwell.experiments.cells import HARMLESS, Cell, grid
from pickwell.experiments.experiment import Experiment

DATA = "PICKWELL_DATA"
"""The environment variable that names the folder of all data sets."""
SHOWN = 3
"""How many of the settings that differ are named."""


@dataclass(frozen=True)
class ResultsFolder:
    """A results folder, the folder of all data, and how to treat what is there already."""

    root: Path
    data: Path
    retry: bool = False
    any_code: bool = False

    @classmethod
    def at(cls, root: Path, data: Path | None = None, **how: bool) -> Self:
        """The folder, with its data folder from the environment variable PICKWELL_DATA unless given."""
        return cls(root, data or Path(os.environ.get(DATA, ".")), **how)

    def folder(self, cell: Cell) -> Path:
        """The cell's directory."""
        return self.root / "cells" / cell.folder


def check_folder(root: Path) -> Experiment | None:
    """The experiment that was last run in the folder, None if none was; VersionError if a newer version did."""
    path = root / "experiment.toml"
    if not path.exists() and root.is_dir() and any(root.iterdir()) and not (root / "pools").exists():
        raise SettingsError(f"{root} is not empty and holds no benchmark's results; choose another folder with --out")
    return Experiment.read(path) if path.exists() else None


def check_same(experiment: Experiment, root: Path) -> None:
    """A SettingsError where the folder holds results, and no cell of the experiment is among those it was run for.

    Its report and states would be of the new cells alone, as if the old ones were gone.
    """
    kept = check_folder(root)
    if kept is None or not _has_results(root) or _akin(experiment, kept):
        return
    there, now = (_entries(one.dump()) for one in (kept, experiment))
    differing = [key for key in there | now if there.get(key) != now.get(key)]
    said = [f"{key}: {_value(there, key)} there, {_value(now, key)} now" for key in differing[:SHOWN]]
    said += [f"and {len(differing) - SHOWN} more"] if len(differing) > SHOWN else []
    raise SettingsError(
        f"{root} holds results of '{kept.title}' with other settings ({'; '.join(said)}), and a folder is of one "
        f"experiment; choose another folder, as --out {_beside(root, differing[0], now)}, or name what is there: "
        f"{root / 'experiment.toml'} --out {root}"
    )


def _has_results(root: Path) -> bool:
    """Whether a cell has finished there, or a report came with the folder; what failed or was stopped is no loss."""
    return (root / "data").exists() or any(root.glob("cells/*/result.json"))


def _akin(first: Experiment, second: Experiment) -> bool:
    """Whether they have cells in common; the reference does not count, which other budgets share."""
    ours, theirs = ({cell.stem for cell in grid(one, list(one.methods), [0])} for one in (first, second))
    return not ours.isdisjoint(theirs)


def _entries(values: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that numbers depend on, by dotted key."""
    words = {*HARMLESS} - {"methods", "variants"}
    return flat({key: value for key, value in values.items() if key not in words})


def _value(entries: Mapping[str, Any], key: str) -> str:
    return repr(entries[key]) if key in entries else "none"


def _beside(root: Path, key: str, now: Mapping[str, Any]) -> str:
    """A name for the folder of the other results, after the first setting that differs."""
    told = re.sub(r"[^\w.]+", "-", f"{key.rpartition('.')[2]} {now.get(key, '')}").strip("-.")
    return f"{root}-{told[:40]}"
