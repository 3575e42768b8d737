"""How many labels a strategy saves at equal accuracy."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from sklearn.isotonic import isotonic_regression

from pickwell.statistics.areas import curves_of, shared_labels
from pickwell.statistics.estimates import Estimate
from pickwell.statistics.runs import Run

RESAMPLES = 2000
Values = NDArray[np.float64]


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


def labels_saved(runs: Sequence[Run], method: str, baseline: str, *, rng: int = 0) -> Saved | None:
    """How many labels the method saves against the baseline, at the highest accuracy that both curves keep.

    Each curve is the mean over the paired seeds, made to rise (isotonic regression), with straight lines between
    its points. Intervals, from 3 seeds on: 95 % percentiles of the bootstrap over seeds. None where no seed has both.
    """
    curves = curves_of(runs)
    both = [curves.get(name, {}) for name in (method, baseline)]
    seeds = sorted(both[0].keys() & both[1].keys())
    counts = [shared_labels(found[seed] for seed in seeds) for found in both]
    if len(counts[0]) < 2 or not counts[1]:
        return None
    x = [np.array(each, np.float64) for each in counts]
    y = [np.array([[found[s][n] for n in each] for s in seeds]) for found, each in zip(both, counts, strict=True)]

    def saving(rows: NDArray[np.int64]) -> tuple[float, float, float, float]:
        heights = [isotonic_regression(part[rows].mean(0)) for part in y]
        target = min(heights[0][-1], heights[1][-1])
        needed, usual = (_labels_at(target, height, at) for height, at in zip(heights, x, strict=True))
        return usual - needed, (usual - needed) / usual, target, needed

    images, share, target, needed = saving(np.arange(len(seeds)))
    bounds: list[tuple[float | None, float | None]] = [(None, None), (None, None)]
    if len(seeds) > 2:
        # Whole seeds are drawn, so that pairs stay together.
        resampled = stats.bootstrap(
            (np.arange(len(seeds)),), lambda rows: np.array(saving(rows)[:2]), vectorized=False, n_resamples=RESAMPLES,
            method="percentile", rng=np.random.default_rng(rng),
        ).confidence_interval  # fmt: skip
        low, high = np.asarray(resampled.low), np.asarray(resampled.high)
        bounds = [(float(low[at]), float(high[at])) for at in (0, 1)]
    estimates = [Estimate(value, *found, len(seeds)) for value, found in zip((images, share), bounds, strict=True)]
    idle = needed == x[0][0] and needed + images == x[1][0]
    return Saved(runs[0].variant, method, target, needed, bool(idle), *estimates)


def _labels_at(target: float, heights: Values, labels: Values) -> float:
    """The fewest labels at which a rising curve is at the target."""
    place = int(np.searchsorted(heights, target - 1e-12, side="left"))
    if place == 0:
        return float(labels[0])
    low, high = heights[place - 1], heights[place]
    part = 1.0 if high == low else min(1.0, (target - low) / (high - low))
    return float(labels[place - 1] + part * (labels[place] - labels[place - 1]))
