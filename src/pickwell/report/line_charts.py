"""Lines over rounds, with bands, faint seeds, and names at their ends; and the dress all charts wear."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from operator import attrgetter
from typing import Any

import altair as alt

from pickwell.report.chart_style import DASHES, Hue, Ink, hues, theme
from pickwell.report.report import Report
from pickwell.report.text.phrases import interval, number, percent
from pickwell.statistics.estimates import Point, points, within
from pickwell.statistics.runs import RoundRow, Run, known, strategies

Figure = alt.Chart | alt.LayerChart
WIDTH, HEIGHT = 640, 260
CROWD = 4
"""With more strategies than this single seeds are not drawn and bands are fainter."""
LABEL_GAP = 15
"""Pixels between the middles of two labels."""
NAME_ROOM = 22
"""Pixels of height for each of many names, so that the leaders to them do not all cross."""
LEADER = (6, 22)
"""Pixels from the end of a line to where the leader to its name begins and ends."""


@dataclass(frozen=True, kw_only=True)
class Lines:
    """What to draw: `value` of each row by `by` ("labels" or "round"), one line a strategy.

    `rule` is a dashed reference line with its name; `dashed` a second value, in the same colours. `floor` and
    `ceiling` fix the ends of the axis; `limits` are what values can be, which no axis and no band goes beyond.
    """

    title: str
    subtitle: str
    value: Callable[[RoundRow], object] = attrgetter("accuracy")
    by: str = "round"
    dashed: Callable[[RoundRow], object] | None = None
    rule: tuple[str, float] | None = None
    floor: float | None = None
    ceiling: float | None = None
    limits: tuple[float, float] = (0.0, 1.0)
    percentages: bool = False

    def along(self, point: Point) -> float:
        """Where on the axis a point is."""
        return point.labels if self.by == "labels" else float(point.round)


def lines(report: Report, plot: Lines, ink: Ink) -> Figure | None:
    """The chart, or None where no row has the value."""
    curve = [replace(p, estimate=within(p.estimate, *plot.limits)) for p in points(report.runs, plot.value)]
    if not curve:
        return None
    shown = {point.strategy for point in curve}
    looks = {name: hue for name, hue in hues(strategies(report.runs), report.baseline, ink).items() if name in shown}
    second = points(report.runs, plot.dashed) if plot.dashed else []
    seeds = _seed_rows(report.runs, plot, shown)
    ends = bounds(_levels(curve, second, seeds, plot), plot.floor, plot.ceiling, plot.limits)
    faint = seeds if len(seeds) > len(curve) and len(shown) <= CROWD else []
    height = max(HEIGHT, NAME_ROOM * len(shown))
    x, y = _axes(curve, plot, ends)
    layers = [layer.encode(x=x) for layer in _layers(curve, second, faint, plot, looks, y)]
    layers += [layer.encode(x=x, y=y) for layer in _end_names(curve, plot, looks, ends, height, ink)]
    if plot.rule:
        rule = charted([{"mean": plot.rule[1]}]).mark_rule(color=ink.muted, strokeDash=[3, 3], strokeWidth=1.5)
        layers.insert(0, rule.encode(y=y))
    # Scales of their own: the names at the ends have colours to be read in, the lines have theirs to be seen.
    chart = alt.layer(*layers).resolve_scale(color="independent")
    marks = [mark for mark in DASHES if mark and any(mark == hue.mark for hue in looks.values())]
    return dress(chart, ink, plot.title, plot.subtitle + _legend(curve, bool(faint), marks), height)


def _legend(curve: Sequence[Point], faint: bool, marks: Sequence[str]) -> str:
    """What bands over seeds are, and faint lines; a single seed's bands are the measurement's, which the plot tells."""
    bands = any(point.estimate.n > 1 and point.estimate.low is not None for point in curve)
    said = " Bands: 95 % t intervals." if bands else ""
    if faint:
        said += " Faint: single seeds."
    return f"{said} Before a name ({', '.join(map(str.strip, marks))}): how its line is dashed." if marks else said


def _layers(
    curve: Sequence[Point], second: Sequence[Point], seeds: list[dict[str, Any]], plot: Lines,
    looks: Mapping[str, Hue], y: alt.Y,
) -> Iterator[alt.Chart]:  # fmt: skip
    """Bands, then faint seeds, then the dashed line, then the means and their points."""
    rows, dashed = ([_row(point, plot.percentages) for point in each] for each in (curve, second))
    colour = alt.Color("strategy:N", scale=scale(looks, [hue.line for hue in looks.values()]), legend=None)
    dashes = scale(looks, [list(DASHES[hue.mark]) for hue in looks.values()])
    if bands := [row for row in rows if row["low"] is not None]:
        faint, low = 0.15 if len(looks) <= CROWD else 0.06, alt.Y("low:Q", title=None, scale=y["scale"])
        yield charted(bands).mark_area(opacity=faint).encode(y=low, y2="high:Q", color=colour)
    if seeds:
        yield charted(seeds).mark_line(strokeWidth=1, opacity=0.28).encode(y=y, color=colour, detail="seed:N")
    if second:
        yield charted(dashed).mark_line(strokeWidth=2, strokeDash=[4, 3]).encode(y=y, color=colour)
    tips = [alt.Tooltip("strategy:N"), alt.Tooltip(f"{plot.by}:Q"), alt.Tooltip("words:N", title="mean"),
            alt.Tooltip("bounds:N", title="95 % interval"), alt.Tooltip("seeds:Q")]  # fmt: skip
    means = charted(rows).encode(y=y, color=colour)
    dash = alt.StrokeDash("strategy:N", legend=None, scale=dashes)
    yield means.mark_line(strokeWidth=2.5, strokeJoin="round").encode(strokeDash=dash)
    yield means.mark_point(filled=True, size=42, opacity=1).encode(tooltip=tips)


def _row(point: Point, percentages: bool) -> dict[str, Any]:
    found = point.estimate
    return {
        "strategy": point.strategy, "round": point.round, "labels": point.labels, "mean": found.mean, "low": found.low,
        "high": found.high, "seeds": found.n, "bounds": interval(found),
        "words": percent(found.mean) if percentages else number(found.mean),
    }  # fmt: skip


def _seed_rows(runs: Sequence[Run], plot: Lines, shown: set[str]) -> list[dict[str, Any]]:
    return [
        {"strategy": run.strategy, "seed": run.seed, "round": row.round, "labels": row.labels, "mean": level}
        for run in runs if run.strategy in shown for row in run.rounds if (level := known(plot.value(row))) is not None
    ]  # fmt: skip


def _levels(curve: Sequence[Point], second: Sequence[Point], seeds: list[dict[str, Any]], plot: Lines) -> list[float]:
    """All that must lie inside the axis."""
    estimates = [point.estimate for point in curve]
    edges = [edge for e in estimates for edge in (e.mean, e.low, e.high) if edge is not None]
    rule = [plot.rule[1]] if plot.rule else []
    return [*edges, *(row["mean"] for row in seeds), *(point.estimate.mean for point in second), *rule]


def _axes(curve: Sequence[Point], plot: Lines, ends: Sequence[float]) -> tuple[alt.X, alt.Y]:
    """The axes: ticks where something was measured, as long as there is room for them."""
    at = sorted({plot.along(point) for point in curve})
    ticks: dict[str, Any] = {"values": at} if len(at) <= 12 else {"tickCount": 8}
    room = [at[0] - 0.5, at[0] + 0.5] if len(at) == 1 else [at[0], at[-1]]
    x = alt.X(
        f"{plot.by}:Q", title=plot.by, scale=alt.Scale(domain=room, nice=False, zero=False),
        axis=alt.Axis(grid=False, format=",d", labelOverlap=True, labelFlush=False, **ticks),
    )  # fmt: skip
    form = "%" if plot.percentages else "f"
    vertical = alt.Scale(domain=list(ends), nice=False, clamp=True)
    return x, alt.Y("mean:Q", title=None, scale=vertical, axis=alt.Axis(format=form, tickCount=5))


def _end_names(
    curve: Sequence[Point], plot: Lines, looks: Mapping[str, Hue], ends: Sequence[float], height: int, ink: Ink
) -> Iterator[alt.Chart]:
    """The names beside the ends of their lines, moved apart where they would touch; then with leaders to them."""
    last = {point.strategy: point for point in curve}
    named = {name: point.estimate.mean for name, point in last.items()} | dict([plot.rule] if plot.rule else [])
    where = max(plot.along(point) for point in curve)
    pixel = (ends[1] - ends[0]) / height
    levels = spaced(list(named.values()), LABEL_GAP * pixel, ends[0], ends[1])
    under, rule = hidden(curve, pixel), Hue("", ink.muted)
    rows: list[dict[str, Any]] = [
        {"name": f"{looks.get(name, rule).mark}{name}{', the same' if name in under else ''}", plot.by: where,
         "mean": level, "end": end, "place": i}
        for i, ((name, end), level) in enumerate(zip(named.items(), levels, strict=True))
    ]  # fmt: skip
    tones = scale(range(len(named)), [looks.get(name, rule).text for name in named])
    colour = alt.Color("place:O", legend=None, scale=tones)
    # Only where a name is not beside its line; from a line that ends before the others it would look like more of it.
    moved = [
        row for row, name in zip(rows, named, strict=True)
        if abs(row["mean"] - row["end"]) > pixel and (name not in last or plot.along(last[name]) == where)
    ]  # fmt: skip
    if moved:
        leaders = charted(moved).mark_rule(xOffset=LEADER[1], x2Offset=LEADER[0], strokeWidth=1, opacity=0.6)
        yield leaders.encode(x2=f"{plot.by}:Q", y2="end:Q", color=colour)
    aside = LEADER[1] + 3 if moved else 9
    words = charted(rows).mark_text(align="left", dx=aside, fontSize=12, limit=175, fontWeight=500)
    yield words.encode(text="name:N", color=colour)


def hidden(curve: Sequence[Point], pixel: float) -> set[str]:
    """The strategies whose lines lie, all along, under another's that is drawn after them."""
    paths: dict[str, dict[int, float]] = {}
    for point in curve:
        paths.setdefault(point.strategy, {})[point.round] = point.estimate.mean
    names = list(paths)
    return {
        name for i, name in enumerate(names) for other in names[i + 1 :]
        if all(turn in paths[other] and abs(level - paths[other][turn]) < pixel for turn, level in paths[name].items())
    }  # fmt: skip


def spaced(values: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """The values, moved apart until neighbours are `gap` from one another; inside the bounds where there is room."""
    order = sorted(range(len(values)), key=lambda i: values[i])
    placed = [values[i] for i in order]
    # Pushing up alone or down alone keeps the gap, and so does the mean of both, which moves every name least.
    placed = [(up + down) / 2 for up, down in zip(_pushed_up(placed, gap), _pushed_down(placed, gap), strict=True)]
    placed = _pushed_down(_pushed_up([max(placed[0], low), *placed[1:]], gap), gap, high)
    return [placed[order.index(i)] for i in range(len(values))]


def _pushed_up(levels: Sequence[float], gap: float) -> list[float]:
    return list(accumulate(levels, lambda below, level: max(level, below + gap)))


def _pushed_down(levels: Sequence[float], gap: float, high: float = math.inf) -> list[float]:
    falling = [min(levels[-1], high), *reversed(levels[:-1])]
    return list(accumulate(falling, lambda above, level: min(level, above - gap)))[::-1]


def bounds(
    levels: Sequence[float], floor: float | None = None, ceiling: float | None = None,
    limits: tuple[float, float] = (-math.inf, math.inf),
) -> list[float]:  # fmt: skip
    """The ends of an axis that holds the levels with a little air, on round numbers unless they are given.

    An axis that went on past the `limits` of the values would promise more.
    """
    low = min(levels) if floor is None else floor
    high = max(levels) if ceiling is None else ceiling
    room = max(high - low, 1e-6) if high > low else abs(high) if abs(high) > 1e-6 else 1.0
    step: float = 10 ** math.floor(math.log10(room)) / 2
    tidy = math.floor((low - 0.02 * room) / step) * step, math.ceil((high + 0.02 * room) / step) * step
    ends = max(tidy[0], limits[0]), min(tidy[1], limits[1])
    return [round(ends[0], 12) if floor is None else floor, round(ends[1], 12) if ceiling is None else ceiling]


def scale(names: Iterable[Any], values: Sequence[Any]) -> alt.Scale:
    """The scale that gives each name its value."""
    return alt.Scale(domain=list(names), range=list(values))


def charted(rows: Sequence[Mapping[str, Any]]) -> alt.Chart:
    """A chart of these rows, to be given its marks."""
    return alt.Chart(alt.InlineData(values=list(rows)))


def dress(chart: Any, ink: Ink, title: str, subtitle: str, height: int = HEIGHT) -> Figure:
    """The chart with its title, size, and the report's type and colours."""
    dressed: Figure = chart.properties(
        width=WIDTH, height=height, title=alt.TitleParams(text=title, subtitle=subtitle),
        padding={"left": 4, "top": 8, "right": 8, "bottom": 4},
    ).configure(**theme(ink))  # fmt: skip
    return dressed
