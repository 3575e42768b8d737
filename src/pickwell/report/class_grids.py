"""Grids of classes by rounds: how many images of each were picked, the IoU each reaches, the pixels it was given."""

from collections.abc import Callable, Mapping, Sequence

import altair as alt

from pickwell.report.chart_style import LIGHT, Ink
from pickwell.report.line_charts import Figure, charted, dress
from pickwell.report.report import Report
from pickwell.statistics.runs import RoundRow, Run, known, of, strategies

CELL = 22
WORDS = 9
"""With more rounds than this the cells are too narrow for fractions; pointing at them still tells."""
MOST = 30
"""With more classes than this those that were picked least are left out."""

Cells = dict[tuple[int, str], float]
"""By round and class."""


def picks_by_class(report: Report, strategy: str, ink: Ink = LIGHT) -> Figure | None:
    """How many images of each class every query picked, as a mean over seeds; None where nothing was counted."""
    runs = of(report.runs, strategy)
    picked = dict.fromkeys(name for run in runs for row in run.rounds for name in row.class_counts)
    every = [*report.classes, *(name for name in picked if name not in report.classes)]

    def counts(row: RoundRow) -> Mapping[str, float]:
        return {name: row.class_counts.get(name, 0) for name in every} if row.class_counts else {}

    panels = {name: _means(of(report.runs, name), counts) for name in strategies(report.runs)}
    cells = panels.get(strategy, {})
    totals = {name: sum(value for (_, each), value in cells.items() if each == name) for name in every}
    kept = set(sorted(every, key=lambda name: -totals[name])[:MOST])
    shown = {name: f"• {name}" if name in report.marked else name for name in every if name in kept}
    parts = [
        "; an empty cell: none" if any(value == 0 for (_, name), value in cells.items() if name in kept) else "",
        f"; • the {report.group} classes" if report.marked else "",
        f"; {len(every) - len(kept)} more classes" if len(every) > len(kept) else "",
    ]
    what = "that show each class" if report.legend or report.metric == "mean IoU" else "of each class"
    told = f"Images {what} in a query{', mean over seeds' if len(runs) > 1 else ''}{''.join(parts)}."
    # The most picks of a class in one round by any strategy, so that all panels share their tones.
    most = max((value for panel in panels.values() for value in panel.values()), default=0.0) or 1.0

    def words(value: float) -> str:
        return "" if value == 0 else f"{value:.0f}" if len(runs) == 1 or value >= 9.5 else f"{value:.1f}"

    return _grid(cells, shown, words, (strategy, told), alt.Scale(domain=[0, most], range=[0, 0.95]), ink)


def class_iou(report: Report, strategy: str, ink: Ink = LIGHT) -> Figure | None:
    """The IoU of each class by round, a mean over seeds; None where none was measured."""
    cells = _means(of(report.runs, strategy), lambda row: row.class_scores)
    told = strategy, "IoU of each class after each round, 0 to 1."
    tones = alt.Scale(domain=[0, 1], range=[0, 0.95])
    return _grid(cells, {n: n for n in report.classes}, "{:.2f}".format, told, tones, ink, WORDS)


def class_pixels(report: Report, strategy: str, ink: Ink = LIGHT) -> Figure | None:
    """How the pixels that each round labelled are shared among the classes; None where none were counted."""

    def share(row: RoundRow) -> Mapping[str, float]:
        total = sum(row.class_pixels.values())
        return {name: count / total for name, count in row.class_pixels.items()} if total else {}

    told = strategy, "Per cent of the pixels that each round labelled."
    # Rare classes have few pixels, and are to be seen.
    tones = alt.Scale(type="sqrt", domain=[0, 1], range=[0, 0.95])
    cells = _means(of(report.runs, strategy), share)
    return _grid(cells, {n: n for n in report.classes}, per_cent, told, tones, ink, WORDS)


def per_cent(share: float) -> str:
    """A share in per cent, small ones with a decimal.

    >>> per_cent(0.0041), per_cent(0.273), per_cent(0.0)
    ('0.4', '27', '0')
    """
    value = 100 * share
    return "0" if value == 0 else f"{value:.1f}" if value < 9.95 else f"{value:.0f}"


def _means(runs: Sequence[Run], value: Callable[[RoundRow], Mapping[str, float]]) -> Cells:
    """The means over the runs of what is known."""
    found: dict[tuple[int, str], list[float]] = {}
    for row in (row for run in runs for row in run.rounds):
        for name, each in value(row).items():
            if (level := known(each)) is not None:
                found.setdefault((row.round, name), []).append(level)
    return {key: sum(values) / len(values) for key, values in sorted(found.items(), key=lambda one: one[0][0])}


def _grid(
    cells: Cells, names: Mapping[str, str], words: Callable[[float], str], told: tuple[str, str], tones: alt.Scale,
    ink: Ink, most: float = float("inf"),
) -> Figure | None:  # fmt: skip
    """Cells of the classes in `names`, as these call them, by rounds; in up to `most` rounds they have figures."""
    rows = [{"round": turn, "class": names[name], "value": value, "words": words(value)}
            for (turn, name), value in cells.items() if name in names]  # fmt: skip
    if not rows:
        return None
    order = [shown for name, shown in names.items() if any(name == each for _, each in cells)]
    base = charted(rows).encode(
        x=alt.X("round:O", title="round", axis=alt.Axis(labelAngle=0, labelOverlap=True)),
        y=alt.Y("class:N", title=None, sort=order, axis=alt.Axis(labelLimit=120)),
        tooltip=[alt.Tooltip("class:N"), alt.Tooltip("round:O"), alt.Tooltip("words:N", title="value")],
    )
    tone = alt.Opacity("value:Q", scale=tones, legend=None)
    layers = [base.mark_rect(color=ink.heat, stroke=ink.paper, strokeWidth=2).encode(opacity=tone)]
    if len({turn for turn, _ in cells}) <= most:
        layers.append(base.mark_text(color=ink.ink, fontSize=11).encode(text="words:N"))
    return dress(alt.layer(*layers), ink, *told, CELL * len(order))
