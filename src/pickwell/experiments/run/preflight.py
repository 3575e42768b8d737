"""What can be known of cells before any of them is run: said once, not by each of them."""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from pickwell import tasks
from pickwell.data.pool import Pool
from pickwell.errors import PickwellError
from pickwell.experiments.cells import Cell
from pickwell.experiments.data import data_changes, feature_pools
from pickwell.experiments.data.prepare import prepare
from pickwell.experiments.experiment import FULL
from pickwell.experiments.run.cell_run import absent_classes, campaign_settings, first_items, showing
from pickwell.learner.generators import isolated
from pickwell.learner.task_learning import learning_of
from pickwell.loop import creation


def check(cells: Sequence[Cell], data: Path, root: Path) -> None:
    """Refuses what cannot work in some cell, and makes the pools below `root`; raises PickwellError."""
    for cell in cells:
        _ = cell.folder  # a misspelt strategy or setting is found here
    check_settings(cells)  # first: to make pools may take long
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(json.dumps(cell.experiment.dump(), default=str), []).append(cell)
    with _no_empty_folders(root / "pools"):
        for group in groups.values():
            _check_pool(group, data, root)


def check_settings(cells: Sequence[Cell]) -> None:
    """Refuses a method that can run in none of the variants, and a variant in which no method can.

    One that cannot run in some of them (dropout passes, of a network without dropout) fails there, as a cell.
    """
    kinds = {(cell.method, cell.variant): cell for cell in cells}
    found = {kind: _refused(cell) for kind, cell in kinds.items()}
    for place in (0, 1):
        for name in dict.fromkeys(kind[place] for kind in kinds):
            errors = [error for kind, error in found.items() if kind[place] == name]
            if all(errors) and errors[0]:
                raise errors[0]


def _refused(cell: Cell) -> PickwellError | None:
    """Why the cell's model or strategy cannot do what is asked of it."""
    chosen = cell.experiment.data
    vectors = bool(chosen.features) or feature_pools.is_file(Path(chosen.set))
    try:
        # Two names stand in for classes that are not known yet.
        creation.check(campaign_settings(cell, ("a", "b")), vectors=vectors)
    except PickwellError as error:
        return error
    return None


def _check_pool(cells: Sequence[Cell], data: Path, root: Path) -> None:
    """Makes the pool that the cells of one experiment share, and refuses what it cannot give."""
    experiment = cells[0].experiment
    prepared = prepare(experiment, data, root)
    data_changes.check(experiment.data, prepared.sources, root)
    if weights := experiment.model.weights:
        with isolated():  # called for its error: the file may not fit
            settings = campaign_settings(cells[0], prepared.classes)
            learning_of(tasks.of(settings, root)).network(settings, weights, prepared.feature_size())
    shown = showing(Pool.open(prepared.pool), prepared)
    # Under one seed every method has the same first labels; the reference has all.
    for cell in {(cell.seed, cell.method == FULL): cell for cell in cells}.values():
        first_items(cell, shown, absent_classes(cell, prepared.classes))


@contextmanager
def _no_empty_folders(pools: Path) -> Iterator[None]:
    """Takes the folders away that were made for pools that came to nothing."""
    made = [folder for folder in (pools, *pools.parents) if not folder.exists()]
    try:
        yield
    finally:
        if pools in made and all(path.suffix == ".lock" for path in pools.glob("*")):
            shutil.rmtree(pools, ignore_errors=True)
        for folder in made:
            with suppress(OSError):  # it holds something
                folder.rmdir()
