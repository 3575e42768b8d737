"""Intervals and paired comparisons over seeds: scipy's, with the cases it leaves undefined named."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from pickwell.report.runs import RoundRow, Run, known, of, strategies

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with its interval; `low` and `high` are None where `n` values cannot give one."""

    mean: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True, slots=True)
class Difference:
    """A strategy's mean difference to the baseline over the seeds that both have, with `at` so many labels each."""

    strategy: str
    baseline: str
    estimate: Estimate
    ours: float
    theirs: float
    p: float | None
    at: tuple[int, ...]

    @property
    def labels(self) -> int:
        """The largest number of labels at which the two were compared."""
        return self.at[-1]

    @property
    def verdict(self) -> int | None:
        """1 above, -1 below, 0 not separable; None where there is no interval."""
        low, high = self.estimate.low, self.estimate.high
        if low is None or high is None:
            return None
        return 1 if low > 0 else -1 if high < 0 else 0


@dataclass(frozen=True, slots=True)
class Point:
    """One strategy's mean over its seeds in one round."""

    strategy: str
    round: int
    labels: float
    estimate: Estimate


def within(estimate: Estimate, least: float = 0.0, most: float = 1.0) -> Estimate:
    """The estimate with its interval cut to what its value can be: a t interval of few seeds goes on past 0 and 1.

    >>> within(Estimate(0.9, 0.75, 1.05, 3))
    Estimate(mean=0.9, low=0.75, high=1.0, n=3)
    """
    low, high = (None if edge is None else min(max(edge, least), most) for edge in (estimate.low, estimate.high))
    return replace(estimate, low=low, high=high)


def mean_interval(values: Sequence[float]) -> Estimate:
    """The mean with its 95 % t interval; none for a single value, nor for values that are all equal."""
    mean, n = float(np.mean(values)), len(values)
    if n < 2 or np.ptp(values) < 1e-12:
        return Estimate(mean, None, None, n)
    low, high = stats.ttest_1samp(values, 0.0).confidence_interval(LEVEL)
    return Estimate(mean, float(low), float(high), n)


def paired(first: Sequence[float], second: Sequence[float]) -> tuple[Estimate, float | None]:
    """The mean of `first - second` with its 95 % paired t interval, and the two-sided p-value."""
    estimate = mean_interval(np.subtract(first, second).tolist())
    return estimate, None if estimate.low is None else float(stats.ttest_rel(first, second).pvalue)


def points(runs: Sequence[Run], value: Callable[[RoundRow], object]) -> list[Point]:
    """The mean of `value` by strategy and round; a lone run keeps the interval its rows came with."""
    return [
        point
        for name in strategies(runs)
        for number in sorted({row.round for run in of(runs, name) for row in run.rounds})
        if (point := _point(name, number, of(runs, name), value)) is not None
    ]


def _point(name: str, number: int, runs: Sequence[Run], value: Callable[[RoundRow], object]) -> Point | None:
    rows = [row for run in runs for row in run.rounds if row.round == number and known(value(row)) is not None]
    if not rows:
        return None
    estimate = mean_interval([float(value(row)) for row in rows])  # type: ignore[arg-type]
    # Not `==`: the interval is the accuracy's, and another figure may happen to be as large.
    if len(rows) == 1 and value(rows[0]) is rows[0].accuracy:
        estimate = Estimate(estimate.mean, known(rows[0].low), known(rows[0].high), 1)
    return Point(name, number, float(np.mean([row.labels for row in rows])), estimate)


def accuracies(run: Run) -> dict[int, float]:
    """The run's known accuracies by number of labels."""
    return {row.labels: number for row in run.rounds if (number := known(row.accuracy)) is not None}


def shared_labels(runs: Sequence[Run]) -> list[int]:
    """The numbers of labels at which all of these runs were measured, those apart that never were, in order."""
    measured = [set(curve) for run in runs if (curve := accuracies(run))]
    return sorted(set.intersection(*measured)) if measured else []


def final_difference(runs: Sequence[Run], strategy: str, baseline: str) -> Difference | None:
    """How far the strategy is from the baseline at the last number of labels that every shared seed has reached."""
    return _difference(runs, strategy, baseline, lambda curve, shared: curve[shared[-1]])


def curve_difference(runs: Sequence[Run], strategy: str, baseline: str) -> Difference | None:
    """The same for the mean over the numbers of labels that every shared seed has reached: the area under the curve."""
    return _difference(runs, strategy, baseline, lambda curve, shared: float(np.mean([curve[n] for n in shared])))


def _difference(
    runs: Sequence[Run], strategy: str, baseline: str, value: Callable[[dict[int, float], list[int]], float]
) -> Difference | None:
    """The paired difference of what `value` makes of a run's accuracies with as many labels as all shared seeds had."""
    first, second = paired_runs(runs, strategy, baseline)
    shared = shared_labels([*first, *second])
    if not shared:
        return None
    ours, theirs = ([value(accuracies(run), shared) for run in half] for half in (first, second))
    estimate, p = paired(ours, theirs)
    return Difference(strategy, baseline, estimate, float(np.mean(ours)), float(np.mean(theirs)), p, tuple(shared))


def paired_runs(runs: Sequence[Run], strategy: str, baseline: str) -> tuple[list[Run], list[Run]]:
    """The measured runs of both, of the seeds that both have, seed by seed."""
    first, second = ({run.seed: run for run in of(runs, name) if accuracies(run)} for name in (strategy, baseline))
    seeds = sorted(first.keys() & second.keys())
    return [first[seed] for seed in seeds], [second[seed] for seed in seeds]
