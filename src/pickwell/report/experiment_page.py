"""The page of an experiment: what the cells show, judged, with the methods in words."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock

from pickwell.errors import StoreError
from pickwell.experiments.cells import Cell
from pickwell.experiments.experiment import FULL, Experiment
from pickwell.experiments.results import cell_results, results_tables
from pickwell.experiments.run.results_folder import ResultsFolder
from pickwell.experiments.run.runner import State, states
from pickwell.report import comparison_sections, experiment_pictures, experiment_sections
from pickwell.report.learning_section import learning
from pickwell.report.page import write
from pickwell.report.picked_sections import by_class, picked
from pickwell.report.report import Report
from pickwell.report.sections import Page
from pickwell.report.text.claims import summary, uneven_seeds, warnings
from pickwell.statistics.judgement import Judgement, judge
from pickwell.statistics.runs import Run


class Written(NamedTuple):
    """Where a report lies, and sentences about finished cells that are of other code or images than most."""

    path: Path
    notes: Sequence[str]


def report(experiment: Experiment, cells: Sequence[Cell], results: ResultsFolder, *, pictures: bool = True) -> Written:
    """Judges the finished cells and writes the tables, the figures and `report.html`.

    With `pictures` the page shows the first picks of each round.
    """
    # Before the lock, which would leave a folder where there was none.
    if not any((results.root / "cells").glob("*/result.json")):
        raise _nothing(results)
    # Two runners that end together would write the same files.
    with FileLock(results.root / "report.lock"):
        found, others = cell_results.results(results.root, cells, any_code=results.any_code)
        if not found:
            raise _nothing(results)
        results_tables.export(found, results.root / "data")
        judged = [result for result in found if cell_results.is_measured(result, experiment.metric)]
        measure, lost = experiment.measure, len(found) - len(judged)
        if not judged:
            raise StoreError(f"no {measure} could be measured: no image of the test set has a label that counts")
        if lost:
            others.append(
                f"In {lost} of {len(found)} finished cells no {measure} could be measured; they are left out."
            )
        made = page(experiment, judged, cells, results, others, pictures=pictures)
        return Written(write(made, results.root / "report.html", files=True), others)


def _nothing(results: ResultsFolder) -> StoreError:
    return StoreError(f"{results.root} has no finished cell of this experiment; run it first: pickwell bench run")


def page(
    experiment: Experiment,
    found: Sequence[dict[str, Any]],
    cells: Sequence[Cell],
    results: ResultsFolder,
    others: Sequence[str],
    *,
    pictures: bool = True,
) -> Page:
    """The report as a page."""
    order = [*experiment.methods, FULL]
    runs = sorted(cell_results.runs(found, experiment.metric), key=lambda run: (order.index(run.strategy), run.seed))
    judged = judge(runs, experiment.baseline, experiment.judged_alone, reference=FULL)
    reports = _reports(experiment, runs, found)
    # Shown may also be what another version of the code has finished.
    shown = {(run.variant, run.strategy, run.seed) for run in runs}
    missing = [o for o in states(cells, results) if (o.cell.variant, o.cell.method, o.cell.seed) not in shown]
    failed = [o for o in missing if o.state in (State.FAILED, State.DIVERGED)]
    waiting = sum(o.state in (State.WAITING, State.BUSY) for o in missing)
    notes = [f"{waiting} of {len(cells)} cells have not been run yet."] if waiting else []
    notes += [f"{len(failed)} of {len(cells)} cells failed; they are listed below."] if failed else []
    told = dict.fromkeys(sentence for each in reports.values() for sentence in warnings(each))
    return Page(
        title=experiment.title,
        subtitle=" ".join(experiment.notes),
        summary=(*_lacking(judged), *summary(judged, reports)),
        sections=(
            learning(judged, reports),
            by_class(judged, reports),
            comparison_sections.savings(judged, experiment.measure),
            comparison_sections.matches(judged),
            comparison_sections.times(judged),
            *picked(reports),
            *([experiment_pictures.pictures(experiment, found, results)] if pictures else []),
            experiment_sections.published(experiment, judged),
            experiment_sections.failures(failed),
            experiment_sections.methods(experiment, judged, found),
        ),
        warnings=(*others, *notes, *uneven_seeds(judged), *told),
    )


def _reports(experiment: Experiment, runs: Sequence[Run], found: Sequence[dict[str, Any]]) -> dict[str, Report]:
    """The runs of each variant, as figures take them; the reference is no curve."""
    absent = {variant: {tuple(r["absent"]) for r in found if r["variant"] == variant and r["method"] != FULL}
              for variant in dict.fromkeys(result["variant"] for result in found)}  # fmt: skip
    return {
        variant: Report(
            title=experiment.title, subtitle="",
            runs=tuple(run for run in runs if run.variant == variant and run.strategy != FULL),
            baseline=experiment.baseline, metric=experiment.measure,
            # Absent classes that the seed draws differ from run to run: none can be marked for all of them.
            classes=tuple(found[0]["classes"]), marked=next(iter(kinds)) if len(kinds) == 1 else (),
        )
        for variant, kinds in absent.items()
    }  # fmt: skip


def _lacking(judged: Judgement) -> list[str]:
    alone = f"No cell of {judged.baseline} is finished, with which every method is to be compared."
    return [alone] if judged.baseline not in judged.methods and len(judged.methods) != 1 else []
