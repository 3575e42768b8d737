"""The report in sentences: nothing is called better than the data allow."""

from collections.abc import Sequence

import numpy as np

from pickwell.report.phrases import interval, listing, number, percent, plural, signed
from pickwell.report.runs import Report, known, of, strategies
from pickwell.report.statistics import Difference, Point, curve_difference, final_difference, points

FEW = 3
"""Up to so many strategies get a sentence each; more are sorted into above, below and not separable."""


def summary(report: Report) -> list[str]:
    """The report's first sentences: where each strategy ended, and whether that is separable from the baseline."""
    curve = points(report.runs, lambda row: row.accuracy)
    found = [d for d in differences(report) if d is not None]
    if not curve:
        return [f"No {report.metric} has been measured yet.", *_share_sentence(report)]
    if not found:
        return [*(_alone(point, report) for point in _last(curve).values()), *_share_sentence(report)]
    told = [_compared(d, report) for d in found] if len(found) <= FEW else _sorted(found, report)
    return [*told, *_share_sentence(report)]


def differences(report: Report) -> list[Difference | None]:
    """The final difference to the baseline of every other strategy."""
    others = [name for name in strategies(report.runs) if name != report.baseline]
    return [final_difference(report.runs, name, report.baseline) for name in others]


def _last(curve: Sequence[Point]) -> dict[str, Point]:
    return {point.strategy: point for point in curve}


def _alone(point: Point, report: Report) -> str:
    """Where a strategy without another to compare it with ended."""
    bounds = "" if point.estimate.low is None else f"; 95 % interval {interval(point.estimate)}"
    rows = [row for run in of(report.runs, point.strategy) for row in run.rounds if row.round == point.round]
    counts = {row.measured for row in rows if row.measured}
    measured = "" if bounds or len(counts) != 1 else f", measured on {counts.pop()} images"
    return (
        f"With {point.labels:.0f} labels {point.strategy} reaches {report.metric} {number(point.estimate.mean)} "
        f"({plural(point.estimate.n, 'seed')}{bounds}{measured})."
    )


def _compared(found: Difference, report: Report) -> str:
    area = curve_difference(report.runs, found.strategy, found.baseline)
    over = "" if area is None else f" Over the whole curve: {_verdict(area)}."
    return (
        f"After {found.labels:.0f} labels {found.strategy} reaches {number(found.ours)}, "
        f"{found.baseline} {number(found.theirs)}: "
        f"{_verdict(found)}.{over}"
    )


def _verdict(found: Difference) -> str:
    """A difference in words that claim no more than its interval."""
    bounds = f"95 % interval {interval(found.estimate, 'signed')}, {plural(found.estimate.n, 'paired seed')}"
    if found.verdict is None:
        why = "one seed" if found.estimate.n == 1 else "the same in every seed"
        return f"difference {signed(found.estimate.mean)} ({why}, so no interval)"
    if found.verdict == 0:
        return f"not separable, difference {signed(found.estimate.mean)} ({bounds})"
    return f"difference {signed(found.estimate.mean)} ({bounds})"


def _sorted(found: Sequence[Difference], report: Report) -> list[str]:
    """Many strategies in one sentence: those above the baseline, below it, and not separable from it."""
    if all(d.estimate.n == 1 for d in found):
        return ["Each strategy has one seed, so no difference has an interval: another seed may order them otherwise."]
    kinds = {1: "above", -1: "below", 0: "not separable from", None: "without an interval against"}
    parts = [
        f"{word} {report.baseline}: {listing([d.strategy for d in found if d.verdict == verdict])}"
        for verdict, word in kinds.items()
        if any(d.verdict == verdict for d in found)
    ]
    labels = max(d.labels for d in found)
    return [f"After {labels:.0f} labels, by paired 95 % intervals, uncorrected — {'; '.join(parts)}."]


def mean_share(report: Report, strategy: str) -> float | None:
    """The mean share of the marked group in the strategy's queries, over rounds and seeds."""
    rows = [row for run in of(report.runs, strategy) for row in run.rounds]
    shares = [share for row in rows if (share := known(row.shares.get(report.group))) is not None]
    return float(np.mean(shares)) if shares else None


def _share_sentence(report: Report) -> list[str]:
    """How much of what was picked belongs to the marked group; nothing where it was not counted."""
    shares = {name: mean_share(report, name) for name in strategies(report.runs)}
    told = {name: share for name, share in shares.items() if share is not None}
    if not told:
        return []
    each = listing([f"{percent(share)} for {name}" for name, share in told.items()])
    if len(told) > FEW + 1:
        least, most = min(told, key=lambda name: told[name]), max(told, key=lambda name: told[name])
        each = f"from {percent(told[least])} for {least} to {percent(told[most])} for {most}"
    pool = known(report.pool_shares.get(report.group))
    who = f" ({listing(report.marked)})" if 0 < len(report.marked) <= 12 else ""
    against = "" if pool is None else f"; in the pool they are {percent(pool)}"
    return [f"Share of the {report.group} classes{who} among the picked images: {each}{against}."]


def warnings(report: Report) -> list[str]:
    """The report's own warnings, then the monitors', one sentence a kind with how often it was seen."""
    seen: dict[tuple[str, str], list[str]] = {}
    for run in report.runs:
        for row in run.rounds:
            for text in row.monitors.get("warnings") or ():
                seen.setdefault((run.strategy, str(text).split(":")[0]), []).append(str(text))
    asked = {name: sum(bool(r.monitors) for run in of(report.runs, name) for r in run.rounds) for name, _ in seen}
    told = [f"{name}, in {len(t)} of {asked[name]} queries: {t[-1]}" for (name, _), t in seen.items()]
    return [*report.warnings, *told]
