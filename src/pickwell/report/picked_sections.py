"""What was picked, class by class, and whether VAAL's picks can be trusted."""

from collections.abc import Iterator
from functools import partial

from pickwell.report import class_grids, monitor_figures
from pickwell.report.figures import share_by_round
from pickwell.report.learning_section import Reports, metric_of, named
from pickwell.report.report import Report
from pickwell.report.sections import Cell, Draw, Entry, Section, Table
from pickwell.report.text.entries import plain
from pickwell.report.text.phrases import file_name, where
from pickwell.statistics.judgement import Judgement
from pickwell.statistics.runs import mean, strategies

GRIDS = {
    "Which classes were picked?": ("picks", class_grids.picks_by_class),
    "How well is each class found?": ("iou", class_grids.class_iou),
    "Which pixels were labelled?": ("pixels", class_grids.class_pixels),
}


def picked(reports: Reports) -> Iterator[Section]:
    """Class balance and monitors of each variant."""
    for variant, each in reports.items():
        share = file_name("absent", variant), partial(share_by_round, each)
        yield Section(where(variant, "What was picked?"), figures=(share,))
        for heading, (kind, draw) in GRIDS.items():
            names = strategies(each.runs)
            figures = tuple((file_name(kind, name, variant), partial(draw, each, name)) for name in names)
            yield Section(where(variant, heading), figures=figures, size="small")
        yield Section(where(variant, "Can VAAL's picks be trusted?"), figures=tuple(_trust(variant, each)))


def _trust(variant: str, report: Report) -> Iterator[tuple[str, Draw]]:
    yield file_name("active-units", variant), partial(monitor_figures.active_units, report)
    yield file_name("auc", variant), partial(monitor_figures.discriminator_auc, report)
    for name in strategies(report.runs):
        yield file_name("scores", name, variant), partial(monitor_figures.score_histogram, report, name)
        yield file_name("latent", name, variant), partial(monitor_figures.latent_use, report, name)


def by_class(judged: Judgement, reports: Reports) -> Section:
    """The IoU of each class after the last measured round, which a mean over classes hides, and its labelled pixels."""
    scores: list[dict[str, Cell]] = []
    pixels: list[dict[str, Cell]] = []
    rows = [row for runs in judged.runs.values() for run in runs for row in run.rounds]
    scored, counted = {n for row in rows for n in row.class_scores}, any(row.class_pixels for row in rows)
    for key, runs in judged.runs.items():
        classes = reports[key[0]].classes
        last = [found[-1] for run in runs if (found := [row for row in run.rounds if row.class_scores])]
        scores.append({
            **named(judged, key), "seeds": str(len(runs)), metric_of(reports): plain(mean(r.accuracy for r in last)),
            **{n: plain(mean(row.class_scores.get(n) for row in last)) for n in classes if n in scored},
        })  # fmt: skip
        totals = {n: sum(row.class_pixels.get(n, 0) for run in runs for row in run.rounds) for n in classes}
        whole = sum(totals.values()) or 1
        shares = {name: count / whole for name, count in totals.items()}
        pixels.append({**named(judged, key), **{n: Entry(f"{100 * s:.1f} %", s) for n, s in shares.items()}})
    told = "Means over seeds. A dash: no pixel of the test set has the class, nor is said to have it."
    return Section("Which classes does it learn?", tables=(
        Table.of("iou-by-class", "IoU of each class after the last round", scores if scored else (), told),
        Table.of("pixels-by-class", "Share of the labelled pixels", pixels if counted else ()),
    ))  # fmt: skip
