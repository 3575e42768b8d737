"""The report's charts of learning and of picks; `monitors` has VAAL's. Titles are plain sentences."""

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import altair as alt
import vl_convert

from pickwell.report.ink import LIGHT, Ink, hues
from pickwell.report.lines import Figure, Lines, about_zero, dress, lines, scale
from pickwell.report.runs import Report, RoundRow, Run, known, of, strategies
from pickwell.report.text.phrases import interval, listing, signed
from pickwell.report.text.summary import after
from pickwell.statistics.estimates import Difference, Point, points

ROW_HEIGHT = 46
ROOM = 36
"""Pixels more at the sides of an SVG: a fifth of the longest name there is room for."""


def save(chart: Figure, path: Path) -> Path:
    """Writes the chart as SVG or PNG (twice the pixels), by the path's ending, and returns the path."""
    spec = chart.to_dict()
    # As wide as the chart: a file's title is not set in type that wraps.
    spec["title"]["subtitle"] = textwrap.wrap(spec["title"]["subtitle"], 95)
    if path.suffix == ".svg":
        # Nothing shows beyond an SVG's edge, and a reader's font may be wider than that which it was measured with.
        for side in ("left", "right"):
            spec["padding"][side] += ROOM
        path.write_text(vl_convert.vegalite_to_svg(spec), encoding="utf-8")
    elif path.suffix == ".png":
        path.write_bytes(vl_convert.vegalite_to_png(spec, scale=2))
    else:
        raise ValueError(f"cannot write a figure as '{path.name}'; end its name in .svg or .png")
    return path


def learning_curve(report: Report, ink: Ink = LIGHT) -> Figure | None:
    """The metric by labels: a strategy's mean, its 95 % interval, and its seeds as faint lines; None without any."""
    curve = points(report.runs, lambda row: row.accuracy)
    title = f"{report.metric[:1].upper()}{report.metric[1:]} by number of labels"
    plot = Lines(title=title, subtitle=_spread(curve, report), value=lambda row: row.accuracy, by="labels")
    return lines(report, plot, ink)


def _spread(curve: Sequence[Point], report: Report) -> str:
    """What the lines and bands of a curve are, and what was measured on where they have none."""
    bands = any(point.estimate.low is not None for point in curve)
    if max((point.estimate.n for point in curve), default=0) > 1:
        return "Lines: means over seeds."
    counts = [row.measured for run in report.runs for row in run.rounds if row.measured]
    if counts and not bands:
        many = f"{min(counts)} to {max(counts)}" if min(counts) < max(counts) else str(counts[0])
        return f"One seed, measured on {many} images; a single seed has no interval."
    return f"One seed.{' Bands: 95 % intervals of the measurement.' if bands else ''}"


def share_by_round(report: Report, ink: Ink = LIGHT) -> Figure | None:
    """The share of the marked group in each query beside its share of the pool; None where nothing was counted."""

    def value(row: RoundRow) -> object:
        return row.shares.get(report.group)

    pool = known(report.pool_shares.get(report.group))
    who = f" ({listing(report.marked)})" if 0 < len(report.marked) <= 12 else ""
    blind = "A query that is blind to class would follow the dashed line, the pool's share."
    plot = Lines(
        title=f"Share of the {report.group} classes{who} in each query",
        subtitle="Lines: means over seeds." if pool is None else blind, value=value,
        percentages=True, floor=0.0, rule=None if pool is None else ("the pool", pool),
    )  # fmt: skip
    return lines(report, plot, ink)


def difference_plot(found: Sequence[Difference], metric: str, ink: Ink = LIGHT) -> Figure | None:
    """Each strategy's paired difference to the baseline with its 95 % interval; None where there is no interval."""
    rows = [
        {"strategy": d.strategy, **{edge: 100 * getattr(d.estimate, edge) for edge in ("mean", "low", "high")},
         "words": f"{signed(d.estimate.mean)} ({interval(d.estimate, 'signed')})"}
        for d in found if d.estimate.low is not None
    ]  # fmt: skip
    if not rows:
        return None
    x = about_zero("low:Q", [row[edge] for row in rows for edge in ("low", "high")], "difference in points")
    colours = hues([d.strategy for d in found], found[0].baseline, ink)
    best = [d.strategy for d in sorted(found, key=lambda d: -d.estimate.mean)]
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        y=alt.Y("strategy:N", sort=best, title=None, axis=alt.Axis(grid=False, labelLimit=150)),
        tooltip=[alt.Tooltip("strategy:N"), alt.Tooltip("words:N", title="difference (95 % interval)")],
    )
    zero = alt.Chart(alt.InlineData(values=[{"low": 0}])).mark_rule(color=ink.muted, strokeDash=[3, 3]).encode(x=x)
    line, text = (
        alt.Color("strategy:N", scale=scale(colours.names, tones), legend=None)
        for tones in (colours.lines, colours.texts)
    )
    words = base.mark_text(dy=-14, fontSize=12, align="left").encode(x=alt.value(4), text="words:N")
    marks = [
        base.mark_rule(strokeWidth=3).encode(x=x, x2="high:Q", color=line),
        base.mark_point(filled=True, size=70, opacity=1).encode(x="mean:Q", color=line),
        # The first is a halo, so that the rules of the grid do not cross the words.
        words.encode(stroke=alt.value(ink.paper), strokeWidth=alt.value(5)),
        words.encode(color=text),
    ]
    return dress(
        alt.layer(zero, *marks).resolve_scale(color="independent"), ink, height=ROW_HEIGHT * len(rows),
        title=f"Final {metric}, difference to {found[0].baseline}",
        subtitle=f"{after(found)}. Paired by seed, with 95 % t intervals; one that crosses the dashed line is not "
        "separable.",
    )  # fmt: skip


def picks_by_class(report: Report, strategy: str, ink: Ink = LIGHT, most: int = 30) -> Figure | None:
    """How many images of each class every query picked, as a mean over seeds; None where nothing was counted."""
    cells = _cells(of(report.runs, strategy), report.classes)
    if not cells:
        return None
    names, seeds = _most_picked(cells, most), len(of(report.runs, strategy))
    left = len({cell["class"] for cell in cells}) - len(names)
    rows = [{**cell, "class": _mark(cell["class"], report.marked)} for cell in cells if cell["class"] in names]
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X("round:O", title="round", axis=alt.Axis(labelAngle=0)),
        y=alt.Y("class:N", title=None, sort=[_mark(n, report.marked) for n in names], axis=alt.Axis(labelLimit=120)),
        tooltip=[alt.Tooltip("class:N"), alt.Tooltip("round:O"), alt.Tooltip("picks:Q", format=".1f")],
    )
    tone = alt.Opacity("picks:Q", scale=alt.Scale(domain=[0, _largest(report)], range=[0, 0.95]), legend=None)
    cell = base.mark_rect(color=ink.heat, stroke=ink.paper, strokeWidth=2).encode(opacity=tone)
    words = base.mark_text(color=ink.ink, fontSize=11).encode(text="words:N")
    empty = "; an empty cell: none" if any(not row["words"] for row in rows) else ""
    parts = [
        empty,
        f"; • the {report.group} classes" if report.marked else "",
        f"; {left} more classes" if left else "",
    ]
    what = "that show each class" if report.legend or report.metric == "mean IoU" else "of each class"
    told = f"Images {what} in a query{', mean over seeds' if seeds > 1 else ''}{''.join(parts)}."
    return dress(alt.layer(cell, words), ink, title=strategy, height=22 * len(names), subtitle=told)


def _cells(runs: Sequence[Run], classes: Sequence[str]) -> list[dict[str, Any]]:
    """A cell for each class and round: its mean number of picks over the runs, and that in words."""
    asked = [row for run in runs for row in run.rounds if row.class_counts]
    names = list(dict.fromkeys([*classes, *(name for row in asked for name in row.class_counts)]))
    cells = []
    for turn in sorted({row.round for row in asked}):
        rows = [row for row in asked if row.round == turn]
        for name in names:
            mean = sum(row.class_counts.get(name, 0) for row in rows) / len(rows)
            cells.append({"class": name, "round": turn, "picks": mean, "words": _count(mean, len(rows))})
    return cells


def _count(mean: float, seeds: int) -> str:
    return "" if mean == 0 else f"{mean:.0f}" if seeds == 1 or mean >= 9.5 else f"{mean:.1f}"


def _most_picked(cells: Sequence[dict[str, Any]], most: int) -> list[str]:
    """The classes with the most picks, in the order they came."""
    totals: dict[str, float] = {}
    for cell in cells:
        totals[cell["class"]] = totals.get(cell["class"], 0.0) + cell["picks"]
    kept = set(sorted(totals, key=lambda name: -totals[name])[:most])
    return [name for name in totals if name in kept]


def _largest(report: Report) -> float:
    """The most picks of a class in one round by any strategy, so that all panels share their tones."""
    panels = [_cells(of(report.runs, name), report.classes) for name in strategies(report.runs)]
    return max((cell["picks"] for cells in panels for cell in cells), default=0.0) or 1.0


def _mark(name: str, marked: Sequence[str]) -> str:
    return f"• {name}" if name in marked else name
