"""Figures of classes by round: the IoU that each reaches, and the share of the labelled pixels that each has."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import altair as alt

from pickwell.report.ink import LIGHT, Ink
from pickwell.report.lines import Figure, Lines, dress, lines
from pickwell.report.runs import Report, RoundRow, known, of

CELL = 22
WORDS = 9
"""With more rounds than this the cells are too narrow for figures; pointing at them still tells."""


@dataclass(frozen=True)
class Grid:
    """What the cells of a class and a round say, and in which words."""

    value: Callable[[RoundRow], Mapping[str, float]]
    words: Callable[[float], str]
    subtitle: str
    root: bool = False


IOU = Grid(lambda row: row.class_scores, lambda value: f"{value:.2f}", "IoU of each class after each round, 0 to 1.")


def class_iou(report: Report, strategy: str, ink: Ink = LIGHT) -> Figure | None:
    """The IoU of each class by round, a mean over seeds; None where none was measured."""
    return _grid(report, strategy, IOU, ink)


def class_pixels(report: Report, strategy: str, ink: Ink = LIGHT) -> Figure | None:
    """How the pixels that each round labelled are shared among the classes; None where none were counted."""
    told = "Per cent of the pixels that each round labelled."
    return _grid(report, strategy, Grid(_shares, per_cent, told, root=True), ink)


def per_cent(share: float) -> str:
    """A share in per cent, small ones with a decimal.

    >>> per_cent(0.0041), per_cent(0.273), per_cent(0.0)
    ('0.4', '27', '0')
    """
    value = 100 * share
    return "0" if not value else f"{value:.1f}" if value < 9.95 else f"{value:.0f}"


def pixel_accuracy(report: Report, ink: Ink = LIGHT) -> Figure | None:
    """The share of pixels predicted right, by labels; None where it was not measured."""
    told = "The share of pixels predicted right: large classes count most."
    plot = Lines(
        title="Pixel accuracy by number of labels", subtitle=told, value=lambda row: row.pixel_accuracy, by="labels"
    )
    return lines(report, plot, ink)


def _shares(row: RoundRow) -> Mapping[str, float]:
    total = sum(row.class_pixels.values())
    return {name: count / total for name, count in row.class_pixels.items()} if total else {}


def _grid(report: Report, strategy: str, grid: Grid, ink: Ink) -> Figure | None:
    """Cells of classes by rounds, darker for more."""
    found: dict[tuple[int, str], list[float]] = {}
    for row in (row for run in of(report.runs, strategy) for row in run.rounds):
        for name, value in grid.value(row).items():
            if (level := known(value)) is not None:
                found.setdefault((row.round, name), []).append(level)
    if not found:
        return None
    means = {key: sum(values) / len(values) for key, values in found.items()}
    rows = [
        {"round": turn, "class": name, "value": mean, "words": grid.words(mean)} for (turn, name), mean in means.items()
    ]
    names = [name for name in report.classes if any(name == each for _, each in means)]
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X("round:O", title="round", axis=alt.Axis(labelAngle=0, labelOverlap=True)),
        y=alt.Y("class:N", title=None, sort=names, axis=alt.Axis(labelLimit=110)),
        tooltip=[alt.Tooltip("class:N"), alt.Tooltip("round:O"), alt.Tooltip("words:N", title="value")],
    )
    # Rare classes have few pixels, and are to be seen.
    levels = alt.Scale(type="sqrt" if grid.root else "linear", domain=[0, 1], range=[0, 0.95])
    tone = alt.Opacity("value:Q", scale=levels, legend=None)
    cells = base.mark_rect(color=ink.heat, stroke=ink.paper, strokeWidth=2).encode(opacity=tone)
    layers = [cells]
    if len({turn for turn, _ in means}) <= WORDS:
        layers.append(base.mark_text(color=ink.ink, fontSize=11).encode(text="words:N"))
    return dress(alt.layer(*layers), ink, title=strategy, height=CELL * len(names), subtitle=grid.subtitle)
