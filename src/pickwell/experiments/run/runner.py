"""Runs the cells of an experiment: finished ones never again, two runners never the same one, a failure alone."""

import json
import shutil
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from statistics import fmean
from time import perf_counter

from filelock import FileLock, Timeout

from pickwell.errors import PickwellError, TrainingError, in_words
from pickwell.executors import Executor
from pickwell.executors.serial import Serial
from pickwell.experiments.cells import Cell, finished
from pickwell.experiments.data import data_changes
from pickwell.experiments.data.prepare import prepare
from pickwell.experiments.experiment import Experiment
from pickwell.experiments.run import preflight
from pickwell.experiments.run.cell_run import run_cell
from pickwell.experiments.run.results_folder import ResultsFolder, check_same
from pickwell.files import replacing


class State(StrEnum):
    """What has become of a cell. Training that gives no finite loss is DIVERGED, any other error FAILED."""

    FINISHED = "finished"
    BUSY = "busy"
    DIVERGED = "diverged"
    FAILED = "failed"
    WAITING = "waiting"


@dataclass(frozen=True)
class Outcome:
    """What became of a cell; `ran` if it was worked on now, `whole` if from its beginning.

    `sentence` says why one failed, for people.
    """

    cell: Cell
    state: State
    seconds: float = 0.0
    ran: bool = False
    whole: bool = True
    sentence: str = ""


Told = Callable[[Outcome, int, int, float | None], None]
"""Called with an outcome, how many cells are settled, how many there are, and the seconds left."""


def run(
    experiment: Experiment,
    cells: Sequence[Cell],
    results: ResultsFolder,
    *,
    executor: Executor | None = None,
    told: Told | None = None,
) -> list[Outcome]:
    """Runs the cells that are not finished; returns what became of each."""
    _begin(experiment, cells, results)
    executor = executor or Serial()
    clock, outcomes = Clock(cells, executor.jobs), []
    # Closed also where `told` fails: processes must not work on for nobody.
    with closing(executor.map(partial(attempt, results), cells)) as settled:
        for outcome in settled:
            _check_shared(outcome, results)
            outcomes.append(outcome)
            clock.add(outcome)
            if told:
                told(outcome, len(outcomes), len(cells), clock.left())
    return outcomes


def _check_shared(outcome: Outcome, results: ResultsFolder) -> None:
    """Refuses an executor whose results land elsewhere: another machine's disk under the same name."""
    if outcome.ran and outcome.state is State.FINISHED and not finished(results.root, outcome.cell):
        raise PickwellError(
            f"{outcome.cell} is finished, and its result is not in {results.root}: what ran it has another disk there; "
            "give --out a folder that all nodes share"
        )


def _begin(experiment: Experiment, cells: Sequence[Cell], results: ResultsFolder) -> None:
    """Refuses what cannot work before anything is computed, and makes the pools."""
    check_same(experiment, results.root)
    # Pools are made here, once: workers that all begin by making the same ones would wait for one of them.
    preflight.check(cells, results.data, results.root)
    (results.root / "cells").mkdir(parents=True, exist_ok=True)
    # Another runner may begin at this moment; whoever reads finds the old file or the new one.
    with FileLock(results.root / "begin.lock"):
        data_changes.check_weights({cell.experiment.model.weights for cell in cells}, results.root)
        with replacing(results.root / "experiment.toml") as new:
            new.write_text(experiment.toml(), encoding="utf-8")
    # Results are worth committing; pools are made again, and weights and databases are large.
    kept = "pools/\n*.lock\n.report.files\ncells/*/*\n!cells/*/result.json\n!cells/*/failure.json\n"
    (results.root / ".gitignore").write_text(kept, encoding="utf-8")


def attempt(results: ResultsFolder, cell: Cell) -> Outcome:
    """Runs the cell unless it is finished, has failed before, or another runner is at it."""
    root = results.folder(cell)
    if settled := state_of(results, cell):
        if (root / "result.json").exists():  # killed between its result and the clearing of its weights
            shutil.rmtree(root / "fits", ignore_errors=True)
        return settled
    root.parent.mkdir(parents=True, exist_ok=True)
    # A little patience: whoever asks for the states holds each lock for a moment.
    lock = FileLock(root.with_name(root.name + ".lock"), timeout=0.5)
    try:
        with lock:
            # Looked at again: another runner may have finished it just now.
            return state_of(results, cell) or _finish(results, cell, root)
    except Timeout:
        return Outcome(cell, State.BUSY, sentence="another process is at it")


def state_of(results: ResultsFolder, cell: Cell) -> Outcome | None:
    """What has become of the cell earlier; None if it is to be run."""
    if finished(results.root, cell, any_code=results.any_code):
        return Outcome(cell, State.FINISHED)
    failure = results.folder(cell) / "failure.json"
    if failure.exists() and not results.retry:
        facts = json.loads(failure.read_text(encoding="utf-8"))
        return Outcome(cell, State(facts["state"]), sentence=facts["sentence"])
    return None


def _finish(results: ResultsFolder, cell: Cell, root: Path) -> Outcome:
    """Runs one cell; whatever fails is written down beside it, for people and for `--retry`."""
    began = perf_counter()
    (root / "failure.json").unlink(missing_ok=True)
    try:
        result = run_cell(cell, prepare(cell.experiment, results.data, results.root), root)
    except Exception as error:  # whatever it is, the other cells go on
        return _failed(cell, root, error, perf_counter() - began)
    return Outcome(cell, State.FINISHED, perf_counter() - began, ran=True, whole=not result["resumes"])


def _failed(cell: Cell, root: Path, error: Exception, seconds: float) -> Outcome:
    state = State.DIVERGED if isinstance(error, TrainingError) else State.FAILED
    sentence = in_words(error) or f"an unexpected {type(error).__name__}; {root / 'failure.json'} has its trace"
    facts = {
        "state": state, "sentence": sentence, "error": f"{type(error).__name__}: {error}", "cell": str(cell),
        "trace": traceback.format_exc(), "time": datetime.now(UTC).isoformat(timespec="seconds"), "seconds": seconds,
    }  # fmt: skip
    root.mkdir(parents=True, exist_ok=True)
    with replacing(root / "failure.json") as new:
        new.write_text(json.dumps(facts, indent=1), encoding="utf-8")
    return Outcome(cell, state, seconds, ran=True, sentence=sentence)


def states(cells: Sequence[Cell], results: ResultsFolder) -> Iterator[Outcome]:
    """What has become of each cell so far, without running any."""
    for cell in cells:
        yield state_of(results, cell) or Outcome(cell, State.BUSY if _is_locked(results, cell) else State.WAITING)


def _is_locked(results: ResultsFolder, cell: Cell) -> bool:
    """Whether another process is at the cell: asked by taking its lock for a moment."""
    path = results.folder(cell).with_name(cell.folder + ".lock")
    if not path.exists():
        return False
    try:
        with FileLock(path, blocking=False):
            return False
    except Timeout:
        return True


class Clock:
    """The time left for the cells that are not settled yet, at each method's pace so far: seconds a training step.

    A method that has not run yet is taken to train as fast as the others do on the mean.
    """

    def __init__(self, cells: Sequence[Cell], jobs: int = 1) -> None:
        self.jobs = jobs
        self._waiting = {str(cell): cell for cell in cells}  # by name: a cell from another process is a copy
        self._paces: dict[str, list[float]] = {}

    def add(self, outcome: Outcome) -> None:
        """Takes in one outcome."""
        cell = outcome.cell
        self._waiting.pop(str(cell), None)
        # Cells found finished took no time now, those taken up again only the rest of theirs, and those that failed
        # ended early: none of them tells how long one takes.
        if outcome.ran and outcome.whole and outcome.state is State.FINISHED:
            self._paces.setdefault(cell.method, []).append(outcome.seconds / cell.steps)

    def left(self) -> float | None:
        """Seconds left; None before any cell has run from its beginning to its end."""
        if not self._paces:
            return None
        means = {name: fmean(values) for name, values in self._paces.items()}
        usual = fmean(means.values())
        return sum(means.get(cell.method, usual) * cell.steps for cell in self._waiting.values()) / self.jobs
