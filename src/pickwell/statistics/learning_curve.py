"""What more labels are likely to be worth: a law through the rounds so far, with its uncertainty.

Error falls with labels as a power law (Cortes et al. 1994, Hestness et al. 2017), extrapolated from few rounds by
Figueroa et al. 2012. Here every law that could have made the rounds counts by how well it makes them, half of them
laws of the error, half of its odds: few labels chosen well gain faster than a power law lets them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

FEWEST = 2
"""Measured rounds before anything is expected."""
LAWS = 20_000
STEEPEST, STEEPEST_ODDS = 3.0, 2.5
"""The largest exponents of the two kinds."""
LUCK = 0.02
"""How far a round lies off its law, however many images it is measured on: the luck of its picks and of its fit."""


@dataclass(frozen=True, slots=True)
class Expected:
    """The share to expect after so many `labels`; in 95 of 100 cases what is measured lies between `low` and `high`."""

    labels: int
    share: float
    low: float
    high: float


def expected(labels: Sequence[int], shares: Sequence[float], measured: Sequence[int], at: int) -> Expected | None:
    """The share of right answers to expect after `at` labels, from rounds of `labels`, each measured on so many images.

    None where fewer than two numbers of labels were measured, or `at` is not beyond them.
    """
    if len(set(labels)) < FEWEST or at <= max(labels):
        return None
    laws, counts, errors = _laws(), np.asarray(labels, dtype=float), 1 - np.asarray(shares, dtype=float)
    spread = _spread(errors, np.asarray(measured))
    first = int(counts.argmin())
    top = np.clip(errors[first] + 4 * laws.start * spread[first], 0.01, 0.99)
    fits = -0.5 * sum(
        np.square((laws.error(top, count / counts[first]) - error) / around)
        for count, error, around in zip(counts, errors, spread, strict=True)
    )
    weights = np.exp(fits - fits.max())
    ahead = laws.error(top, at / counts[first])
    # The new round has luck of its own, and is measured as the last one was.
    ahead += laws.luck * _spread(np.clip(ahead, 0.01, 0.99), measured[int(counts.argmax())])
    order = np.argsort(ahead)
    below = np.cumsum(weights[order]) / weights.sum()
    middle, low, high = (1 - ahead[order][np.searchsorted(below, share)] for share in (0.5, 0.975, 0.025))
    return Expected(at, *(float(np.clip(value, 0, 1)) for value in (middle, low, high)))


@dataclass(frozen=True, slots=True)
class _Laws:
    """So many laws, and two normal numbers for each: where it starts, and a new round's luck."""

    odds: NDArray[np.bool_]
    exponent: Numbers
    floor: Numbers
    start: Numbers
    luck: Numbers

    def error(self, top: Numbers, times: float) -> Numbers:
        """The error `(LAWS,)` after so many `times` the first labels, at which it was `top`."""
        fall = times**-self.exponent
        odds = top / (1 - top) * fall
        floor = self.floor * top
        return np.where(self.odds, odds / (1 + odds), floor + (top - floor) * fall)


@cache
def _laws() -> _Laws:
    """Always the same ones."""
    rng = np.random.default_rng(0)
    odds = rng.random(LAWS) < 0.5
    exponent = rng.random(LAWS) * np.where(odds, STEEPEST_ODDS, STEEPEST)
    # Mostly low: labels that stop to help are rarer than those that help less and less.
    return _Laws(odds, exponent, rng.beta(1, 4, LAWS), rng.standard_normal(LAWS), rng.standard_normal(LAWS))


def _spread(errors: Numbers, measured: NDArray[np.int64] | int) -> Numbers:
    """The deviation of measured errors from their law."""
    found: Numbers = np.sqrt(errors * (1 - errors) / np.maximum(1, measured) + LUCK**2)
    return found
