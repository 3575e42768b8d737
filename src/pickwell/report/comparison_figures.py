"""Figures that compare methods: differences after correction, who beats whom, labels saved, seconds of a query."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import altair as alt

from pickwell.report.chart_style import LIGHT, Ink
from pickwell.report.line_charts import Figure, bounds, charted, dress, scale
from pickwell.statistics.estimates import Estimate

ROW_HEIGHT = 34
NAMES = alt.Y("name:N", sort=None, title=None, axis=alt.Axis(grid=False, labelLimit=190))


@dataclass(frozen=True)
class Bar:
    """A value with its interval, in words, and whether it is set off."""

    name: str
    estimate: Estimate
    words: str
    strong: bool = False


def intervals(bars: Sequence[Bar], title: str, subtitle: str, axis: str, ink: Ink = LIGHT) -> Figure | None:
    """Values about zero with their intervals, the largest first; those set off are in colour. None without any.

    `axis` says what is told in which unit.
    """
    rows = [
        {"name": b.name, "mean": b.estimate.mean, "low": b.estimate.low, "high": b.estimate.high, "words": b.words,
         "strong": "yes" if b.strong else "no"}
        for b in sorted(bars, key=lambda bar: -bar.estimate.mean)
    ]  # fmt: skip
    if not rows:
        return None
    edges = [e for b in bars for e in (b.estimate.low, b.estimate.high, b.estimate.mean) if e is not None]
    x, low = (_about_zero(field, edges, axis) for field in ("mean:Q", "low:Q"))
    colour = alt.Color("strong:N", legend=None, scale=scale(["yes", "no"], [ink.lines[0], ink.baseline]))
    tips = [alt.Tooltip("name:N", title="method"), alt.Tooltip("words:N", title="value")]
    base = charted(rows).encode(y=NAMES, tooltip=tips)
    zero = charted([{"mean": 0}]).mark_rule(color=ink.muted, strokeDash=[3, 3]).encode(x=x)
    spans = base.transform_filter("isValid(datum.low)").mark_rule(strokeWidth=3)
    dots = base.mark_point(filled=True, size=70, opacity=1).encode(x=x, color=colour)
    chart = alt.layer(zero, spans.encode(x=low, x2="high:Q", color=colour), dots)
    return dress(chart, ink, title, subtitle, ROW_HEIGHT * len(rows) + 10)


def _about_zero(field: str, edges: Sequence[float], title: str) -> alt.X:
    """The axis of differences, signed and with 0 on it; each number stands under its own line of the grid."""
    label = "datum.value === 0 ? '0' : datum.label"
    axis = alt.Axis(format="+~r", tickCount=5, labelFlush=False, labelOverlap=True, labelExpr=label)
    return alt.X(field, title=title, axis=axis, scale=alt.Scale(domain=bounds([*edges, 0.0]), nice=False))


def matrix(
    cells: Mapping[tuple[str, str], tuple[str, int]], names: Sequence[str], title: str, subtitle: str, ink: Ink = LIGHT
) -> Figure | None:
    """Row against column: words, and 1 (the row wins), -1 (it loses) or 0; None without any pair."""
    if not cells:
        return None
    tones = {1: "wins", -1: "loses", 0: "open"}
    rows = [{"row": a, "column": b, "words": words, "outcome": tones[sign]} for (a, b), (words, sign) in cells.items()]
    rows += [{"row": name, "column": name, "words": "", "outcome": "same"} for name in names]
    above = alt.Axis(grid=False, orient="top", labelAngle=-40, labelLimit=150)
    base = charted(rows).encode(
        x=alt.X("column:N", sort=list(names), title=None, axis=above),
        y=alt.Y("row:N", sort=list(names), title=None, axis=alt.Axis(grid=False, labelLimit=150)),
        tooltip=["row:N", alt.Tooltip("column:N", title="against"), alt.Tooltip("words:N", title="difference")],
    )
    tiles = {"wins": (ink.heat, 0.65), "loses": (ink.lines[4], 0.45), "same": (ink.grid, 1.0)}
    fields = [
        base.transform_filter(f"datum.outcome == '{outcome}'").mark_rect(color=colour, opacity=opacity)
        for outcome, (colour, opacity) in tiles.items()
    ]
    words = base.mark_text(color=ink.ink, fontSize=11).encode(text="words:N")
    chart = dress(alt.layer(*fields, words), ink, title, subtitle, 30 * len(names))
    return chart.properties(usermeta={"least": 200 + 40 * len(names)})


def decades(low: float, high: float) -> list[float]:
    """The powers of ten between the two; where fewer than two are, their doubles and halves too.

    >>> decades(0.002, 30), decades(0.3, 3)
    ([0.01, 0.1, 1.0, 10.0], [0.5, 1.0, 2.0])
    """
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = [float(f"{m}e{n}") for n in exponents for m in (1, 2, 5)]
    inside = [step for step in steps if low <= step <= high]
    tens = [step for step in inside if step in steps[::3]]
    return tens if len(tens) > 1 else inside


def seconds(bars: Sequence[Bar], title: str, subtitle: str, ink: Ink = LIGHT) -> Figure | None:
    """Seconds by method on a logarithmic axis, the quickest first; None without any."""
    known = sorted((bar for bar in bars if bar.estimate.mean > 0), key=lambda bar: bar.estimate.mean)
    if not known:
        return None
    rows = [{"name": b.name, "seconds": b.estimate.mean, "words": b.words} for b in known]
    least, most = known[0].estimate.mean, known[-1].estimate.mean
    # Room on the right for the words beside the last dot: three eighths of the axis.
    least, top = least / 2, most * (2 * most / least) ** 0.6
    ticks = alt.Axis(values=decades(least, top), labelFlush=False, labelOverlap=True)
    span = alt.Scale(type="log", domain=[least, top], nice=False)
    base = charted(rows).encode(
        x=alt.X("seconds:Q", title="seconds, on a logarithmic axis", axis=ticks, scale=span), y=NAMES
    )
    dots = base.mark_point(filled=True, size=80, opacity=1, color=ink.lines[0])
    # The first is a halo, so that the rules of the grid do not cross the words.
    words = [
        base.mark_text(align="left", dx=9, fontSize=12, **how).encode(text="words:N")
        for how in ({"stroke": ink.paper, "strokeWidth": 5}, {"color": ink.ink})
    ]
    return dress(alt.layer(*words, dots), ink, title, subtitle, ROW_HEIGHT * len(rows) + 10)
