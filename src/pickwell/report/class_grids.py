"""Grids of classes by rounds: how many images of each were picked, the IoU each reaches, the pixels it was given."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import altair as alt

from pickwell.report.ink import LIGHT, Ink
from pickwell.report.lines import Figure, dress
from pickwell.report.report import Report
from pickwell.statistics.runs import RoundRow, Run, mean, of, strategies

CELL = 22
WORDS = 9
"""With more rounds than this the cells are too narrow for fractions; pointing at them still tells."""
MOST = 30
"""With more classes than this those that were picked least are left out."""

Cells = dict[tuple[int, str], float]
"""A mean over seeds by round and class."""


def picks_by_class(report: Report, strategy: str, ink: Ink = LIGHT) -> Figure | None:
    """How many images of each class every query picked, as a mean over seeds; None where nothing was counted."""
    runs = of(report.runs, strategy)
    cells = _picks(runs, report.classes)
    if not cells:
        return None
    names = _most_picked(cells)
    left = len({name for _, name in cells}) - len(names)
    shown = {(turn, _mark(name, report.marked)): value for (turn, name), value in cells.items() if name in names}
    parts = [
        "; an empty cell: none" if any(value == 0 for value in shown.values()) else "",
        f"; • the {report.group} classes" if report.marked else "",
        f"; {left} more classes" if left else "",
    ]
    what = "that show each class" if report.legend or report.metric == "mean IoU" else "of each class"
    told = f"Images {what} in a query{', mean over seeds' if len(runs) > 1 else ''}{''.join(parts)}."
    # The most picks of a class in one round by any strategy, so that all panels share their tones.
    panels = [_picks(of(report.runs, name), report.classes) for name in strategies(report.runs)]
    most = max((value for panel in panels for value in panel.values()), default=0.0) or 1.0

    def words(value: float) -> str:
        return "" if value == 0 else f"{value:.0f}" if len(runs) == 1 or value >= 9.5 else f"{value:.1f}"

    order = [_mark(name, report.marked) for name in names]
    return _grid(shown, order, words, strategy, told, ink, scale=alt.Scale(domain=[0, most], range=[0, 0.95]))


def class_iou(report: Report, strategy: str, ink: Ink = LIGHT) -> Figure | None:
    """The IoU of each class by round, a mean over seeds; None where none was measured."""
    told = "IoU of each class after each round, 0 to 1."
    return _shares(report, strategy, lambda row: row.class_scores, "{:.2f}".format, told, ink)


def class_pixels(report: Report, strategy: str, ink: Ink = LIGHT) -> Figure | None:
    """How the pixels that each round labelled are shared among the classes; None where none were counted."""

    def share(row: RoundRow) -> Mapping[str, float]:
        total = sum(row.class_pixels.values())
        return {name: count / total for name, count in row.class_pixels.items()} if total else {}

    told = "Per cent of the pixels that each round labelled."
    return _shares(report, strategy, share, per_cent, told, ink, root=True)


def per_cent(share: float) -> str:
    """A share in per cent, small ones with a decimal.

    >>> per_cent(0.0041), per_cent(0.273), per_cent(0.0)
    ('0.4', '27', '0')
    """
    value = 100 * share
    return "0" if value == 0 else f"{value:.1f}" if value < 9.95 else f"{value:.0f}"


def _picks(runs: Sequence[Run], classes: Sequence[str]) -> Cells:
    """The mean number of picks; a class that a query picked none of has a cell too."""
    asked = [row for run in runs for row in run.rounds if row.class_counts]
    names = list(dict.fromkeys([*classes, *(name for row in asked for name in row.class_counts)]))
    return {
        (turn, name): mean(row.class_counts.get(name, 0) for row in asked if row.round == turn) or 0.0
        for turn in sorted({row.round for row in asked}) for name in names
    }  # fmt: skip


def _most_picked(cells: Cells) -> list[str]:
    """The classes with the most picks, in the order they came."""
    totals: dict[str, float] = {}
    for (_, name), value in cells.items():
        totals[name] = totals.get(name, 0.0) + value
    kept = set(sorted(totals, key=lambda name: -totals[name])[:MOST])
    return [name for name in totals if name in kept]


def _mark(name: str, marked: Sequence[str]) -> str:
    return f"• {name}" if name in marked else name


def _shares(
    report: Report, strategy: str, value: Callable[[RoundRow], Mapping[str, float]], words: Callable[[float], str],
    told: str, ink: Ink, *, root: bool = False,
) -> Figure | None:  # fmt: skip
    """A grid of what lies between 0 and 1; with `root` what is rare can be seen too."""
    rows = [row for run in of(report.runs, strategy) for row in run.rounds]
    means = {
        (turn, name): mean(value(row).get(name) for row in rows if row.round == turn)
        for turn in sorted({row.round for row in rows}) for name in report.classes
    }  # fmt: skip
    cells = {key: found for key, found in means.items() if found is not None}
    names = [name for name in report.classes if any(name == each for _, each in cells)]
    wide = len({turn for turn, _ in cells}) > WORDS
    scale = alt.Scale(type="sqrt" if root else "linear", domain=[0, 1], range=[0, 0.95])
    return _grid(cells, names, words, strategy, told, ink, scale=scale, silent=wide) if cells else None


def _grid(
    cells: Cells, names: Sequence[str], words: Callable[[float], str], title: str, told: str, ink: Ink,
    *, scale: alt.Scale, silent: bool = False,
) -> Figure:  # fmt: skip
    """Cells of classes by rounds, darker for more; `silent` ones have no figures in them."""
    rows: list[dict[str, Any]] = [
        {"round": turn, "class": name, "value": value, "words": words(value)} for (turn, name), value in cells.items()
    ]
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X("round:O", title="round", axis=alt.Axis(labelAngle=0, labelOverlap=True)),
        y=alt.Y("class:N", title=None, sort=list(names), axis=alt.Axis(labelLimit=120)),
        tooltip=[alt.Tooltip("class:N"), alt.Tooltip("round:O"), alt.Tooltip("words:N", title="value")],
    )
    tone = alt.Opacity("value:Q", scale=scale, legend=None)
    layers = [base.mark_rect(color=ink.heat, stroke=ink.paper, strokeWidth=2).encode(opacity=tone)]
    if not silent:
        layers.append(base.mark_text(color=ink.ink, fontSize=11).encode(text="words:N"))
    return dress(alt.layer(*layers), ink, title=title, height=CELL * len(names), subtitle=told)
