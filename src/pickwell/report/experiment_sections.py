"""What an experiment's page has of its own: others' numbers, the cells that failed, and the settings."""

from collections.abc import Iterator, Sequence
from typing import Any

from pickwell.experiments.experiment import Experiment
from pickwell.experiments.published_results import TABLES, Published
from pickwell.report.learning_section import Reports
from pickwell.report.sections import Entry, Section, Table
from pickwell.report.text.entries import ratio, seconds
from pickwell.report.text.methods import methods_paragraph
from pickwell.report.text.phrases import DASH, where
from pickwell.statistics.judgement import Judgement, Key
from pickwell.statistics.runs import Run, mean, of


def published(experiment: Experiment, judged: Judgement, reports: Reports) -> Section:
    """Others' numbers beside ours."""
    made = []
    for name in experiment.published:
        theirs = TABLES[name]
        rows: list[tuple[str | Entry, ...]] = []
        for method, values in theirs.rows.items():
            rows.append((f"{method}, theirs", *(Entry(f"{value:g}", value) for value in values)))
            for key in [key for key in judged.seeds if key[1] == method]:
                runs = of(reports[key[0]].runs, method)
                measured = _levels(theirs, runs) if theirs.labels else _query(judged, key)
                rows.append((where(key[0], f"{method}, ours"), *measured))
        caption = f"Theirs: {theirs.source}; {theirs.unit}. Other code, other settings: the levels do not compare."
        made.append(Table(f"published-{name}", theirs.title, ("method", *theirs.columns), tuple(rows), caption))
    return Section("Published numbers beside ours", tables=tuple(made))


def _query(judged: Judgement, key: Key) -> tuple[Entry, Entry]:
    """The median seconds of a query and their ratio to vaal's, a dash for what there is not."""
    return seconds(judged.times[key].get("query")), ratio(judged.ratio(key))


def _levels(theirs: Published, runs: Sequence[Run]) -> Iterator[Entry]:
    """One method's means in per cent at the table's numbers of labels; a dash where it has none."""
    for labels in theirs.labels:
        level = mean(run.curve.get(labels) for run in runs)
        yield Entry(DASH if level is None else f"{100 * level:.2f}", None if level is None else 100 * level)


def failures(failed: Sequence[Any]) -> Section:
    """The cells that failed, and why."""
    rows = [{"cell": str(o.cell), "state": str(o.state), "why": o.sentence} for o in failed]
    return Section("Cells that failed", tables=(Table.of("failures", "Failures", rows, prose=True),))


def methods(experiment: Experiment, judged: Judgement, found: Sequence[dict[str, Any]]) -> Section:
    """The methods paragraph and all settings."""
    settings = [(result["method"], result["facts"]["strategy"]) for result in found]
    # Each once: a variant may change them.
    rows = dict.fromkeys((method, ", ".join(f"{k} {v}" for k, v in own.items())) for method, own in settings)
    table = Table("settings", "Settings of the methods", ("method", "settings"), tuple(rows), folded=True, prose=True)
    spent = sum(row["fit_seconds"] + (row["query_seconds"] or 0) for r in found for row in r["rounds"])
    paragraph = methods_paragraph(experiment, judged, found, spent)
    return Section("How it was measured", notes=tuple(paragraph), tables=(table,))
