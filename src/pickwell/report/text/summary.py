"""The report in sentences: nothing is called better than the data allow."""

from collections.abc import Iterator, Sequence

import numpy as np

from pickwell.report.runs import Report, Run, known, of, strategies
from pickwell.report.text.phrases import interval, listing, number, percent, plural, signed
from pickwell.statistics.estimates import (
    Difference,
    Point,
    accuracies,
    curve_difference,
    final_difference,
    paired_runs,
    points,
    shared_labels,
    within,
)

FEW = 3
"""Up to so many strategies get a sentence each; more are sorted into above, below and not separable."""


def summary(report: Report) -> list[str]:
    """The report's first sentences: where each strategy ended, and whether that is separable from the baseline."""
    curve = points(report.runs, lambda row: row.accuracy)
    if not curve:
        return [f"No {report.metric} has been measured yet.", *_share_sentence(report)]
    found = [d for d in differences(report) if d is not None]
    told = [_compared(d, report) for d in found] if len(found) <= FEW else _sorted(found, report)
    beside = {report.baseline, *(d.strategy for d in found)} if found else set()
    alone = [_alone(point, report) for name, point in _last(curve).items() if name not in beside]
    return [*told, *alone, *_apart(report), *_share_sentence(report)]


def differences(report: Report) -> list[Difference | None]:
    """The final difference to the baseline of every other strategy."""
    return [final_difference(report.runs, name, report.baseline) for name in _others(report)]


def _others(report: Report) -> list[str]:
    return [name for name in strategies(report.runs) if name != report.baseline]


def _last(curve: Sequence[Point]) -> dict[str, Point]:
    return {point.strategy: point for point in curve}


def _alone(point: Point, report: Report) -> str:
    """Where a strategy without another to compare it with ended."""
    bounds = "" if point.estimate.low is None else f"; 95 % interval {interval(within(point.estimate))}"
    rows = [row for run in of(report.runs, point.strategy) for row in run.rounds if row.round == point.round]
    counts = {row.measured for row in rows if row.measured}
    measured = "" if bounds or len(counts) != 1 else f", measured on {counts.pop()} images"
    return (
        f"With {point.labels:.0f} labels {point.strategy} reaches {report.metric} {number(point.estimate.mean)} "
        f"({plural(point.estimate.n, 'seed')}{bounds}{measured})."
    )


def _apart(report: Report) -> Iterator[str]:
    """Why there is no difference where seeds, but no number of labels, are shared with the baseline."""
    for name in _others(report):
        first, second = paired_runs(report.runs, name, report.baseline)
        if first and not shared_labels([*first, *second]):
            yield (
                f"{name} was measured with {_counts(first)} labels, {report.baseline} with {_counts(second)}: never "
                "all with the same number, so no difference is told. To compare them, ask as many a round of both."
            )


def _counts(runs: Sequence[Run]) -> str:
    """The numbers of labels with which these were measured."""
    return _few(sorted({labels for run in runs for labels in accuracies(run)}))


def _few(counts: Sequence[int]) -> str:
    """The numbers; of many the first two and the last."""
    each = [str(count) for count in counts]
    return listing(each) if len(each) <= FEW + 1 else f"{each[0]}, {each[1]}, ... {each[-1]}"


def _compared(found: Difference, report: Report) -> str:
    return (
        f"After {found.labels} labels {found.strategy} reaches {number(found.ours)}, "
        f"{found.baseline} {number(found.theirs)}: "
        f"{_verdict(found)}.{_over_the_curve(found, report)}"
    )


def _over_the_curve(found: Difference, report: Report) -> str:
    """The difference over all points that both have; nothing where that is the last one."""
    area = curve_difference(report.runs, found.strategy, found.baseline)
    if area is None or len(area.at) == 1:
        return ""
    both = [run for half in paired_runs(report.runs, found.strategy, found.baseline) for run in half]
    whole = all(set(accuracies(run)) == set(area.at) for run in both)
    over = "the whole curve" if whole else f"the {len(area.at)} numbers of labels that both have"
    return f" Over {over}: {_verdict(area)}."


def _verdict(found: Difference) -> str:
    """A difference in words that claim no more than its interval."""
    bounds = f"95 % interval {interval(found.estimate, 'signed')}, {plural(found.estimate.n, 'paired seed')}"
    if found.verdict is None:
        why = "one seed" if found.estimate.n == 1 else "the same in every seed"
        return f"difference {signed(found.estimate.mean)} points ({why}, so no interval)"
    if found.verdict == 0:
        return f"not separable, difference {signed(found.estimate.mean)} points ({bounds})"
    return f"difference {signed(found.estimate.mean)} points ({bounds})"


def over(runs: Sequence[Run], shared: Sequence[int]) -> str:
    """What means over the curve are of, where runs were measured with other numbers of labels than all `shared`."""
    if all(set(accuracies(run)) <= set(shared) for run in runs):
        return ""
    if not shared:
        return " No number of labels is shared by all runs, so none has a mean over the curve."
    return (
        f" Means over the curve are of the numbers of labels that all runs share ({_few(shared)}), their differences "
        "of those that the two share."
    )


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
    return [f"{after(found)}, by paired 95 % intervals, uncorrected — {'; '.join(parts)}."]


def after(found: Sequence[Difference]) -> str:
    """After how many labels strategies are compared with the baseline."""
    least, most = min(d.labels for d in found), max(d.labels for d in found)
    last = f"After the last number of labels that each shares with {found[0].baseline} ({least} to {most})"
    return f"After {most} labels" if least == most else last


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
