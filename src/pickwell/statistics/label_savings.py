"""How many labels a strategy saves at equal accuracy."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from pickwell.statistics.aubc import curves_of, shared_labels
from pickwell.statistics.estimates import Estimate
from pickwell.statistics.runs import Run

RESAMPLES = 2000
AT_ONCE = 8_000_000
"""So many means of stretches of a curve are held in memory."""
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
    y = [np.array([[own[s][n] for n in each] for s in seeds]) for own, each in zip(both, counts, strict=True)]

    def saving(rows: NDArray[np.int64], axis: int = -1) -> Values:
        heights = [rising(part[rows].mean(axis - 1)) for part in y]
        target = np.minimum(heights[0][..., -1], heights[1][..., -1])
        needed, usual = (_labels_at(target, height, at) for height, at in zip(heights, x, strict=True))
        return np.stack([usual - needed, (usual - needed) / usual, target, needed])

    images, share, target, needed = saving(np.arange(len(seeds))).tolist()
    bounds: list[tuple[float | None, float | None]] = [(None, None), (None, None)]
    if len(seeds) > 2:
        # Whole seeds are drawn, so that pairs stay together.
        found = stats.bootstrap(
            (np.arange(len(seeds)),), saving, vectorized=True, n_resamples=RESAMPLES, method="percentile",
            batch=max(1, AT_ONCE // len(counts[0]) ** 2), rng=np.random.default_rng(rng),
        ).confidence_interval  # fmt: skip
        low, high = np.asarray(found.low), np.asarray(found.high)
        bounds = [(float(low[at]), float(high[at])) for at in (0, 1)]
    estimates = [Estimate(value, *found, len(seeds)) for value, found in zip((images, share), bounds, strict=True)]
    idle = needed == x[0][0] and needed + images == x[1][0]
    return Saved(runs[0].variant, method, target, needed, bool(idle), *estimates)


def rising(heights: Values) -> Values:
    """The isotonic regression of curves `(..., n)`: the max-min formula of Robertson, Wright and Dykstra (1988)."""
    count = heights.shape[-1]
    sums = np.concatenate([np.zeros_like(heights[..., :1]), heights.cumsum(-1)], axis=-1)
    starts, ends = np.arange(count)[:, None], np.arange(count)
    inside = ends >= starts
    means = (sums[..., None, 1:] - sums[..., :-1, None]) / np.where(inside, ends - starts + 1, 1)
    least = np.minimum.accumulate(np.where(inside, means, np.inf)[..., ::-1], axis=-1)[..., ::-1]
    return np.asarray(np.where(inside, least, -np.inf).max(-2))


def _labels_at(target: Values, heights: Values, labels: Values) -> Values:
    """The fewest labels at which rising curves `(..., n)` are at their targets."""
    place = (heights >= target[..., None] - 1e-12).argmax(-1)
    before = np.maximum(place - 1, 0)
    low, high = (np.take_along_axis(heights, at[..., None], -1)[..., 0] for at in (before, place))
    part = np.where(high > low, (target - low) / np.where(high > low, high - low, 1), 1.0).clip(max=1.0)
    return np.asarray(np.where(place == 0, labels[0], labels[before] + part * (labels[place] - labels[before])))
