"""Charts of what was learnt and picked, line by line; and how any chart is saved. Titles are plain sentences."""

import textwrap
from collections.abc import Sequence
from pathlib import Path

import vl_convert

from pickwell.report.chart_style import LIGHT, Ink
from pickwell.report.line_charts import Figure, Lines, lines
from pickwell.report.report import Report
from pickwell.report.text.phrases import capital, listing, where
from pickwell.statistics.estimates import Point, points
from pickwell.statistics.runs import RoundRow, known

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


def learning_curve(
    report: Report, variant: str = "", rule: tuple[str, float] | None = None, ink: Ink = LIGHT
) -> Figure | None:
    """The metric by labels: a strategy's mean, its 95 % interval, and its seeds as faint lines; None without any.

    A dashed line is at the `rule`: what the full data reach.
    """
    title = where(variant, f"{capital(report.metric)} by number of labels")
    plot = Lines(title=title, subtitle=_spread(points(report.runs), report), by="labels", rule=rule)
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


def pixel_accuracy(report: Report, ink: Ink = LIGHT) -> Figure | None:
    """The share of pixels predicted right, by labels; None where it was not measured."""
    told = "The share of pixels predicted right: large classes count most."
    plot = Lines(
        title="Pixel accuracy by number of labels", subtitle=told, value=lambda row: row.pixel_accuracy, by="labels"
    )
    return lines(report, plot, ink)


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
