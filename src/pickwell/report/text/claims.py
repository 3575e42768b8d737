"""The first sentences of a page: nothing is called better than the data allow."""

from collections.abc import Iterator, Mapping, Sequence

from pickwell.report.report import Report
from pickwell.report.text.phrases import interval, listing, number, percent, plural, signed, spans
from pickwell.statistics.aubc import curves_of
from pickwell.statistics.comparisons import Comparison
from pickwell.statistics.estimates import Point, points, within
from pickwell.statistics.judgement import Judgement
from pickwell.statistics.runs import Run, known, mean, of, strategies

FEW = 4
"""Up to so many strategies get a sentence each of where they ended; of more the tables tell."""


def summary(judged: Judgement, reports: Mapping[str, Report]) -> list[str]:
    """What may be said of every method against the baseline, where each ended, and of what was picked."""
    told = [f"{_against(c, judged, reports[c.variant].runs)}." for c in judged.against]
    if len(told) > FEW and all(c.estimate.n == 1 for c in judged.against):
        told = ["Each method has one seed, so nothing is claimed: another seed may order them otherwise."]
    if not (judged.ends or judged.reference):
        told.append(f"No {next(iter(reports.values())).metric} has been measured yet.")
    for report in reports.values():
        last = {point.strategy: point for point in points(report.runs)}
        told += [_ended(point, report) for point in last.values() if len(last) <= FEW and not judged.variants]
        told += _share_sentence(report)
    return told


def measure(judged: Judgement) -> str:
    """What is judged, in words."""
    return f"AUBC of the first {plural(judged.judged, 'round')}" if judged.judged else "AUBC"


def _against(found: Comparison, judged: Judgement, runs: Sequence[Run]) -> str:
    """A claim with what else is to be known of the two."""
    curves = [curves_of(runs).get(name, {}) for name in (found.first, found.second)]
    if not found.estimate.n and curves[0].keys() & curves[1].keys():
        ours, theirs = (_few(sorted({n for curve in each.values() for n in curve})) for each in curves)
        return (
            f"{found.first} was measured with {ours} labels, {found.second} with {theirs}: never all with the same "
            "number, so no difference is told. To compare them, ask as many a round of both"
        )
    over = f" over the {plural(found.partly, 'number')} of labels that both have" if found.partly else ""
    return f"{claim(found, measure(judged) + over)}{_committee(found, judged)}"


def _few(counts: Sequence[int]) -> str:
    """The numbers; of many the first two and the last."""
    each = [str(count) for count in counts]
    return listing(each) if len(each) <= FEW else f"{each[0]}, {each[1]}, ... {each[-1]}"


def claim(found: Comparison, measure: str = "AUBC") -> str:
    """What may be said of the comparison, in a sentence.

    >>> from pickwell.statistics.estimates import Estimate
    >>> claim(Comparison("", "vaal", "random", Estimate(0.004, -0.005, 0.013, 5), 0.3, 0.3))
    'vaal is not separable from random at 5 seeds: difference +0.4 ± 0.9 points of AUBC, corrected p = 0.300'
    """
    # In quotes: a variant may be named "as it is".
    where = f"With “{found.variant}”, " if found.variant else ""
    low, high = found.estimate.low, found.estimate.high
    mean = signed(found.estimate.mean)
    if found.verdict is None or low is None or high is None:
        why = {0: "no seed has both", 1: "one seed"}.get(found.estimate.n, "the same difference in every seed")
        difference = f": difference {mean} points of {measure}" if found.estimate.n else ""
        return f"{where}{found.first} and {found.second} cannot be tested ({why}){difference}"
    spread = f"{mean} ± {50 * (high - low):.1f} points of {measure}"  # half the width of the interval
    least = "< 0.001" if (found.corrected or 0) < 0.001 else f"= {found.corrected:.3f}"
    if found.verdict == 0:
        pair = f"{found.first} is not separable from {found.second}"
        # With its p: the interval, which is this pair's alone, may well exclude zero.
        return f"{where}{pair} at {found.estimate.n} seeds: difference {spread}, corrected p {least}"
    side = "above" if found.verdict > 0 else "below"
    return f"{where}{found.first} is {side} {found.second} at {found.estimate.n} seeds: {spread}, corrected p {least}"


def _committee(found: Comparison, judged: Judgement) -> str:
    """Which side of a claim has the help of several networks, where the other has not the same."""
    sizes = {name: judged.committees.get((found.variant, name)) for name in (found.first, found.second)}
    if found.verdict is None or len(set(sizes.values())) == 1:
        return ""
    told = [f"{name} is measured by the mean prediction of {n} networks" for name, n in sizes.items() if n]
    return f"; {listing(told)}, which alone makes a part of the difference"


def _ended(point: Point, report: Report) -> str:
    """Where a strategy ended."""
    bounds = "" if point.estimate.low is None else f"; 95 % interval {interval(within(point.estimate))}"
    rows = [row for run in of(report.runs, point.strategy) for row in run.rounds if row.round == point.round]
    counts = {row.measured for row in rows if row.measured}
    measured = "" if bounds or len(counts) != 1 else f", measured on {counts.pop()} images"
    return (
        f"With {point.labels:.0f} labels {point.strategy} reaches {report.metric} {number(point.estimate.mean)} "
        f"({plural(point.estimate.n, 'seed')}{bounds}{measured})."
    )


def mean_share(report: Report, strategy: str) -> float | None:
    """The mean share of the marked group in the strategy's queries, over rounds and seeds."""
    return mean(row.shares.get(report.group) for run in of(report.runs, strategy) for row in run.rounds)


def _share_sentence(report: Report) -> list[str]:
    """How much of what was picked belongs to the marked group; nothing where it was not counted."""
    shares = {name: mean_share(report, name) for name in strategies(report.runs)}
    told = {name: share for name, share in shares.items() if share is not None}
    if not told:
        return []
    each = listing([f"{percent(share)} for {name}" for name, share in told.items()])
    if len(told) > FEW:
        least, most = min(told, key=lambda name: told[name]), max(told, key=lambda name: told[name])
        each = f"from {percent(told[least])} for {least} to {percent(told[most])} for {most}"
    pool = known(report.pool_shares.get(report.group))
    who = f" ({listing(report.marked)})" if 0 < len(report.marked) <= 12 else ""
    variant = report.runs[0].variant
    where = f"With “{variant}”, the share" if variant else "Share"
    against = "" if pool is None else f"; in the pool they are {percent(pool)}"
    return [f"{where} of the {report.group} classes{who} among the picked images: {each}{against}."]


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


def uneven_seeds(judged: Judgement) -> Iterator[str]:
    """Of each variant whose methods have not the same seeds, which they share and which they do not."""
    for variant in dict.fromkeys(variant for variant, _ in judged.seeds):
        own = {method: seeds for (of, method), seeds in judged.seeds.items() if of == variant}
        shared = set.intersection(*map(set, own.values()))
        further: dict[tuple[int, ...], list[str]] = {}
        for method, seeds in own.items():
            further.setdefault(tuple(seed for seed in seeds if seed not in shared), []).append(method)
        parts = [
            f"{listing(names)}{' also' if shared else ':'} {spans(seeds)}" for seeds, names in further.items() if seeds
        ]
        if parts:
            where = f" ({variant})" if variant else ""
            common = f"all have {spans(sorted(shared))}" if shared else "no seed is shared by all"
            yield (
                f"The methods have not the same seeds{where}: {'; '.join([common, *parts])}. Each mean is of a "
                "method's own seeds, so levels differ by chance too; each difference is of the seeds that both have."
            )
