"""Judging: what the curves of paired runs support, and no more. One family of tests a report, corrected by Holm."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from sklearn.isotonic import isotonic_regression

from pickwell.report.text.phrases import signed
from pickwell.statistics.estimates import Estimate, paired

ALPHA = 0.05
"""The chance of any false claim in one report."""
RESAMPLES = 2000
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """What one run reached: a value for each number of labels paid for."""

    method: str
    seed: int
    labels: tuple[int, ...]
    values: tuple[float, ...]
    variant: str = ""


@dataclass(frozen=True)
class Comparison:
    """The paired difference `first` - `second` in one variant; `corrected` is its p-value among all of the report."""

    variant: str
    first: str
    second: str
    estimate: Estimate
    p: float | None
    corrected: float | None = None

    @property
    def verdict(self) -> int | None:
        """1 where the first is above, -1 where it is below, 0 where they cannot be separated; None without a test."""
        if self.corrected is None:
            return None
        return 0 if self.corrected > ALPHA else 1 if self.estimate.mean > 0 else -1

    def flipped(self) -> "Comparison":
        """The same comparison from the other side."""
        low, high = self.estimate.low, self.estimate.high
        turned = Estimate(
            -self.estimate.mean, None if high is None else -high, None if low is None else -low, self.estimate.n
        )
        return replace(self, first=self.second, second=self.first, estimate=turned)


@dataclass(frozen=True)
class Saved:
    """Labels that a method needs fewer than the baseline to reach `target`, with bootstrap intervals over seeds.

    `idle` where both are there with their first labels, as a mean curve falls later: nothing can be saved then.
    """

    variant: str
    method: str
    target: float
    needed: float
    idle: bool
    images: Estimate
    share: Estimate


def area(curve: Curve) -> float:
    """The area under the budget curve (AUBC): the mean height, by trapezoids over the labels.

    >>> area(Curve("random", 0, (10, 20, 40), (0.5, 0.7, 0.7)))
    0.6666666666666666
    """
    if len(curve.labels) < 2:
        return curve.values[0]
    return float(np.trapezoid(curve.values, curve.labels) / (curve.labels[-1] - curve.labels[0]))


def final(curve: Curve) -> float:
    """The last value."""
    return curve.values[-1]


def first_rounds(count: int) -> Callable[[Curve], float]:
    """The area over the first `count` rounds alone."""
    return lambda curve: area(replace(curve, labels=curve.labels[: count + 1], values=curve.values[: count + 1]))


def holm(p: Sequence[float], weights: Sequence[float] | None = None) -> list[float]:
    """The p-values corrected by Holm (1979), with weights if given: the chance of any false claim stays below alpha.

    >>> [round(value, 6) for value in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    shares = np.ones(len(p)) if weights is None else np.asarray(weights, dtype=np.float64)
    ratios = np.asarray(p, dtype=np.float64) / shares
    order = np.argsort(ratios, kind="stable")
    left = shares[order][::-1].cumsum()[::-1]  # the weight of what is not yet rejected
    stepped = np.minimum(1.0, np.maximum.accumulate(left * ratios[order]))
    corrected = np.empty(len(p))
    corrected[order] = stepped
    return [float(value) for value in corrected]


def compare(curves: Sequence[Curve], baseline: str, value: Callable[[Curve], float] = area) -> list[Comparison]:
    """Every pair of methods within every variant, paired by seed, as one family of tests.

    At least half of alpha is for the comparisons with the baseline, which are what is asked first, the rest for the
    others; what either part does not need goes to the other (Holm's weights).
    """
    found = []
    for variant in dict.fromkeys(curve.variant for curve in curves):
        levels = _levels([curve for curve in curves if curve.variant == variant], value)
        names = sorted(levels, key=lambda name: name == baseline)  # the baseline comes second in its pairs
        found += [_compared(variant, a, b, levels[a], levels[b]) for a, b in combinations(names, 2)]
    return _corrected(found, baseline)


def _levels(curves: Sequence[Curve], value: Callable[[Curve], float]) -> dict[str, dict[int, float]]:
    levels: dict[str, dict[int, float]] = {}
    for curve in curves:
        levels.setdefault(curve.method, {})[curve.seed] = value(curve)
    return levels


def _compared(
    variant: str, first: str, second: str, ours: Mapping[int, float], theirs: Mapping[int, float]
) -> Comparison:
    seeds = sorted(ours.keys() & theirs.keys())
    if not seeds:
        return Comparison(variant, first, second, Estimate(float("nan"), None, None, 0), None)
    estimate, p = paired([ours[seed] for seed in seeds], [theirs[seed] for seed in seeds])
    return Comparison(variant, first, second, estimate, p)


def _corrected(found: Sequence[Comparison], baseline: str) -> list[Comparison]:
    tested = [c for c in found if c.p is not None]
    asked_first = [baseline in (c.first, c.second) for c in tested]
    corrected = iter(holm([c.p or 0.0 for c in tested], shares(asked_first)))
    return [c if c.p is None else replace(c, corrected=next(corrected)) for c in found]


def shares(asked_first: Sequence[bool]) -> list[float]:
    """Holm's weights: at least half for the comparisons that are asked first, in equal parts.

    >>> shares([True, True, False]), shares([True, False, False, False, False])
    ([1.0, 1.0, 1.0], [2.5, 0.625, 0.625, 0.625, 0.625])
    """
    first, others = asked_first.count(True), asked_first.count(False)
    # Of three methods two pairs of three are asked first: half would be less than their number gives them.
    part = max(0.5, first / max(1, len(asked_first))) if others else 1.0
    return [len(asked_first) * (part / first if kind else (1 - part) / others) for kind in asked_first]


def labels_saved(curves: Sequence[Curve], method: str, baseline: str, *, rng: int = 0) -> Saved | None:
    """How many labels the method saves against the baseline, at the highest accuracy that both curves keep.

    Each curve is the mean over the paired seeds, made to rise (isotonic regression), with straight lines between
    its points. Intervals, from 3 seeds on: 95 % percentiles of the bootstrap over seeds. None where no seed has both.
    """
    ours, theirs = (_by_seed(curves, name) for name in (method, baseline))
    seeds = sorted(ours.keys() & theirs.keys())
    if not seeds or len(ours[seeds[0]].labels) < 2:
        return None
    x = np.array(ours[seeds[0]].labels, np.float64), np.array(theirs[seeds[0]].labels, np.float64)
    y = tuple(np.array([found[seed].values for seed in seeds]) for found in (ours, theirs))

    def saving(rows: NDArray[np.int64]) -> tuple[float, float, float]:
        heights = [isotonic_regression(part[rows].mean(0)) for part in y]
        target = min(heights[0][-1], heights[1][-1])
        needed, usual = (_labels_at(target, height, at) for height, at in zip(heights, x, strict=True))
        return usual - needed, (usual - needed) / usual, target

    images, share, target = saving(np.arange(len(seeds)))
    bounds: list[tuple[float | None, float | None]] = [(None, None), (None, None)]
    if len(seeds) > 2:
        # Whole seeds are drawn, so that pairs stay together.
        resampled = stats.bootstrap(
            (np.arange(len(seeds)),), lambda rows: np.array(saving(rows)[:2]), vectorized=False, n_resamples=RESAMPLES,
            method="percentile", rng=np.random.default_rng(rng),
        ).confidence_interval  # fmt: skip
        low, high = np.asarray(resampled.low), np.asarray(resampled.high)
        bounds = [(float(low[at]), float(high[at])) for at in (0, 1)]
    needed = _labels_at(target, isotonic_regression(y[0].mean(0)), x[0])
    estimates = [Estimate(value, *found, len(seeds)) for value, found in zip((images, share), bounds, strict=True)]
    idle = needed == x[0][0] and needed + images == x[1][0]
    return Saved(curves[0].variant, method, target, needed, bool(idle), *estimates)


def _by_seed(curves: Sequence[Curve], method: str) -> dict[int, Curve]:
    return {curve.seed: curve for curve in curves if curve.method == method}


def _labels_at(target: float, heights: Values, labels: Values) -> float:
    """The fewest labels at which a rising curve is at the target."""
    place = int(np.searchsorted(heights, target - 1e-12, side="left"))
    if place == 0:
        return float(labels[0])
    low, high = heights[place - 1], heights[place]
    part = 1.0 if high == low else min(1.0, (target - low) / (high - low))
    return float(labels[place - 1] + part * (labels[place] - labels[place - 1]))


def wins(found: Sequence[Comparison], names: Sequence[str]) -> dict[tuple[str, str], tuple[int, int]]:
    """For each ordered pair, in how many variants the first is above the second after correction, and of how many."""
    counts = {(a, b): (0, 0) for a in names for b in names if a != b}
    for each in (side for comparison in found for side in (comparison, comparison.flipped())):
        if each.verdict is not None:
            won, tested = counts[each.first, each.second]
            counts[each.first, each.second] = won + (each.verdict == 1), tested + 1
    return counts


def claim(found: Comparison, measure: str = "AUBC") -> str:
    """What may be said of the comparison, in a sentence.

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


def query_times(
    seconds: Mapping[str, Sequence[float]], reference: str = "vaal"
) -> dict[str, tuple[float, float | None]]:
    """The median seconds of a query by method, and the ratio to the reference's where it was run."""
    medians = {name: float(np.median(values)) for name, values in seconds.items() if len(values)}
    usual = medians.get(reference)
    return {name: (value, value / usual if usual else None) for name, value in medians.items()}
