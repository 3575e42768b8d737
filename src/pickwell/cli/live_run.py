"""Runs cells under the live table: what `bench run` and `demo` show while they work."""

from collections.abc import Sequence
from pathlib import Path

from pickwell import executors
from pickwell.experiments.cells import Cell, finished
from pickwell.experiments.experiment import Experiment
from pickwell.experiments.run.results_folder import ResultsFolder
from pickwell.experiments.run.runner import Outcome, run
from pickwell.report.live import Key, LiveTable
from pickwell.report.live_cells import LiveCells
from pickwell.report.text.phrases import duration
from pickwell.spelling import printable


def run_live(
    experiment: Experiment,
    cells: Sequence[Cell],
    results: ResultsFolder,
    *,
    jobs: int = 1,
    executor_name: str | None = None,
    silent: bool = False,
) -> list[Outcome]:
    """Runs the cells that are not finished, `jobs` at a time; shows a table in a terminal, else lines."""
    executor = executors.create(executor_name or ("processes" if jobs > 1 else "serial"), jobs)
    if silent:
        return run(experiment, cells, results, executor=executor)
    group = "absent" if any(cell.experiment.start.absent for cell in cells) else None
    rounds = {_key(cell): cell.rounds + 1 for cell in cells}
    folders = {_key(cell): _folder(cell, results) for cell in cells}
    with (
        LiveTable(printable(experiment.title), rounds, group=group, metric=experiment.measure) as table,
        LiveCells(table, folders, experiment.metric) as live,
    ):

        def told(outcome: Outcome, done: int, total: int, left: float | None) -> None:
            live.settle(_key(outcome.cell), str(outcome.state), left)
            if outcome.sentence or not table.is_drawn:
                table.log(printable(_line(outcome, done, total, left)))

        return run(experiment, cells, results, executor=executor, told=told)


def _folder(cell: Cell, results: ResultsFolder) -> Path:
    """Where the cell's files are: with `any_code` another version of the code may have finished it."""
    found = finished(results.root, cell, any_code=results.any_code)
    return found.parent if found else results.folder(cell)


def _key(cell: Cell) -> Key:
    return printable(f"{cell.method} ({cell.variant})" if cell.variant else cell.method), cell.seed


def _line(outcome: Outcome, done: int, total: int, left: float | None) -> str:
    took = f" in {duration(outcome.seconds)}" if outcome.ran else ""
    why = f": {outcome.sentence}" if outcome.sentence else ""
    rest = f" · about {duration(left)} left" if left else ""
    return f"{done}/{total} · {outcome.cell} {outcome.state}{took}{why}{rest}"
