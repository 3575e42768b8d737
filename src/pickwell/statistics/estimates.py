"""Means over seeds and paired differences with their intervals: scipy's, with the cases it leaves undefined named."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter, itemgetter

import numpy as np
from scipy import stats

from pickwell.statistics.runs import RoundRow, Run, known, strategies

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with its interval; `low` and `high` are None where `n` values cannot give one."""

    mean: float
    low: float | None
    high: float | None
    n: int

    def scaled(self, factor: float) -> "Estimate":
        """The same in another unit, or, by -1, from the other side."""
        if self.low is None or self.high is None:
            return replace(self, mean=factor * self.mean)
        low, high = sorted((factor * self.low, factor * self.high))
        return Estimate(factor * self.mean, low, high, self.n)


UNKNOWN = Estimate(float("nan"), None, None, 0)


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


def points(runs: Sequence[Run], value: Callable[[RoundRow], object] = attrgetter("accuracy")) -> list[Point]:
    """The mean of `value` by strategy and round; a lone run keeps the interval its rows came with."""
    names = strategies(runs)
    found: dict[tuple[int, int], list[RoundRow]] = {}
    for run in runs:
        for row in run.rounds:
            if known(value(row)) is not None:
                found.setdefault((names.index(run.strategy), row.round), []).append(row)
    return [_point(names[place], rows, value) for (place, _), rows in sorted(found.items(), key=itemgetter(0))]


def _point(name: str, rows: Sequence[RoundRow], value: Callable[[RoundRow], object]) -> Point:
    estimate = mean_interval([float(value(row)) for row in rows])  # type: ignore[arg-type]
    # Not `==`: the interval is the accuracy's, and another figure may happen to be as large.
    if len(rows) == 1 and value(rows[0]) is rows[0].accuracy:
        estimate = replace(estimate, low=known(rows[0].low), high=known(rows[0].high))
    return Point(name, rows[0].round, float(np.mean([row.labels for row in rows])), estimate)
