"""The page of an experiment: what the cells show, judged, with the methods in words."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock

from pickwell.errors import StoreError
from pickwell.experiments.cells import Cell
from pickwell.experiments.experiment import FULL, Experiment
from pickwell.experiments.judge import results_tables
from pickwell.experiments.judge.judgement import Judgement, judge
from pickwell.experiments.run.results_folder import ResultsFolder
from pickwell.experiments.run.runner import State, states
from pickwell.report import experiment_pictures, experiment_sections
from pickwell.report.page import Page, write
from pickwell.report.runs import Report
from pickwell.report.text.methods import uneven_seeds
from pickwell.report.text.phrases import listing
from pickwell.report.text.summary import warnings
from pickwell.statistics.comparisons import Comparison, claim


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
        return _report(experiment, cells, results, pictures=pictures)


def _report(experiment: Experiment, cells: Sequence[Cell], results: ResultsFolder, *, pictures: bool) -> Written:
    found, others = results_tables.results(results.root, cells, any_code=results.any_code)
    if not found:
        raise _nothing(results)
    results_tables.export(found, results.root / "data")
    judged = [result for result in found if results_tables.is_measured(result, experiment.metric)]
    if not judged:
        raise StoreError(f"no {experiment.measure} could be measured: no image of the test set has a label that counts")
    if lost := len(found) - len(judged):
        others.append(
            f"In {lost} of {len(found)} finished cells no {experiment.measure} could be measured; they are left out."
        )
    made = page(experiment, judged, cells, results, others, pictures=pictures)
    return Written(write(made, results.root / "report.html"), others)


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
    judged = judge(experiment, found)
    reports = _reports(experiment, found)
    # Shown may also be what another version of the code has finished.
    shown = {(result["variant"], result["method"], result["seed"]) for result in found}
    missing = [o for o in states(cells, results) if (o.cell.variant, o.cell.method, o.cell.seed) not in shown]
    failed = [o for o in missing if o.state in (State.FAILED, State.DIVERGED)]
    waiting = [o for o in missing if o.state in (State.WAITING, State.BUSY)]
    notes = [f"{len(waiting)} of {len(cells)} cells have not been run yet."] if waiting else []
    notes += [f"{len(failed)} of {len(cells)} cells failed; they are listed below."] if failed else []
    notes += uneven_seeds(judged)
    told = dict.fromkeys(sentence for each in reports.values() for sentence in warnings(each))
    return Page(
        title=experiment.title,
        subtitle=" ".join(experiment.notes),
        summary=tuple(_summary(experiment, judged)),
        sections=(
            experiment_sections.learning(experiment, judged, reports),
            experiment_sections.by_class(experiment, judged, found),
            experiment_sections.savings(experiment, judged),
            experiment_sections.matches(judged),
            experiment_sections.times(judged),
            *experiment_sections.picked(reports),
            *([experiment_pictures.pictures(experiment, found, results)] if pictures else []),
            experiment_sections.published(experiment, judged, found),
            experiment_sections.failures(failed),
            experiment_sections.methods(experiment, found),
        ),
        warnings=(*others, *notes, *told),
    )


def _reports(experiment: Experiment, found: Sequence[dict[str, Any]]) -> dict[str, Report]:
    """The runs of each variant, as the report's figures take them; the reference is no curve."""
    order = list(experiment.methods)
    grouped: dict[str, Report] = {}
    for variant in dict.fromkeys(result["variant"] for result in found):
        own = [r for r in found if r["variant"] == variant and r["method"] != FULL]
        own.sort(key=lambda r: (order.index(r["method"]), r["seed"]))
        absent = {tuple(r["absent"]) for r in own}
        grouped[variant] = Report(
            title=experiment.title, subtitle="", runs=tuple(results_tables.runs(own, experiment.metric)),
            baseline=experiment.baseline, metric=experiment.measure,
            # Absent classes that the seed draws differ from run to run: none can be marked for all of them.
            classes=tuple(found[0]["classes"]), marked=absent.pop() if len(absent) == 1 else (),
        )  # fmt: skip
    return grouped


def _summary(experiment: Experiment, judged: Judgement) -> list[str]:
    against = [c for c in judged.comparisons if c.second == experiment.baseline]
    if against:
        return [f"{claim(c, judged.measure)}{_committee(c, judged)}." for c in against]
    if len(judged.methods) < 2:
        return ["One method alone: there is nothing to compare it with."]
    return [f"No cell of {experiment.baseline} is finished, with which every method is to be compared."]


def _committee(found: Comparison, judged: Judgement) -> str:
    """Which side of a claim has the help of several networks, where the other has not the same."""
    sizes = {name: judged.committees.get((found.variant, name)) for name in (found.first, found.second)}
    if found.verdict is None or len(set(sizes.values())) == 1:
        return ""
    told = [f"{name} is measured by the mean prediction of {n} networks" for name, n in sizes.items() if n]
    return f"; {listing(told)}, which alone makes a part of the difference"
