"""What paired runs support, and no more: one family of tests a report, corrected by Holm."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from pickwell.statistics.aubc import Curves, Value, area, at, curves_of, shared_labels
from pickwell.statistics.estimates import UNKNOWN, Estimate, paired
from pickwell.statistics.runs import Run

ALPHA = 0.05
"""The chance of any false claim in one report."""


@dataclass(frozen=True)
class Comparison:
    """The paired difference `first` - `second` in one variant; `corrected` is its p-value among all of the report.

    `partly` is at how many numbers of labels the two were compared, where either was measured with others too.
    """

    variant: str
    first: str
    second: str
    estimate: Estimate
    p: float | None
    corrected: float | None = None
    partly: int = 0

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


def compare(runs: Sequence[Run], baseline: str, value: Value = area) -> list[Comparison]:
    """Every pair of methods within every variant, paired by seed, as one family of tests.

    A pair is compared with the numbers of labels that all of its runs were measured with. At least half of alpha is for
    the comparisons with the baseline, which are what is asked first, the rest for the others; what either part does not
    need goes to the other (Holm's weights).
    """
    found = []
    for variant in dict.fromkeys(run.variant for run in runs):
        curves = curves_of([run for run in runs if run.variant == variant])
        names = sorted(curves, key=lambda name: name == baseline)  # the baseline comes second in its pairs
        found += [_compared(variant, a, b, curves, value) for a, b in combinations(names, 2)]
    return _corrected(found, baseline)


def _compared(variant: str, first: str, second: str, curves: Curves, value: Value) -> Comparison:
    ours, theirs = curves[first], curves[second]
    seeds = sorted(ours.keys() & theirs.keys())
    pairs = [[each[seed] for seed in seeds] for each in (ours, theirs)]
    every = [curve for half in pairs for curve in half]
    labels = shared_labels(every)
    if not labels:
        return Comparison(variant, first, second, UNKNOWN, None)
    estimate, p = paired(*([value(at(curve, labels)) for curve in half] for half in pairs))
    partly = len(labels) if any(len(curve) > len(labels) for curve in every) else 0
    return Comparison(variant, first, second, estimate, p, partly=partly)


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


def wins(found: Sequence[Comparison], names: Sequence[str]) -> dict[tuple[str, str], tuple[int, int]]:
    """For each ordered pair, in how many variants the first is above the second after correction, and of how many."""
    counts = {(a, b): (0, 0) for a in names for b in names if a != b}
    for each in (side for comparison in found for side in (comparison, comparison.flipped())):
        if each.verdict is not None:
            won, tested = counts[each.first, each.second]
            counts[each.first, each.second] = won + (each.verdict == 1), tested + 1
    return counts
