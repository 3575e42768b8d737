"""How many of a model's answers can be taken unseen, so that few of them are wrong."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom, nbinom

SURE = 0.95
"""How sure the promise is."""
STEPS = 50
"""Thresholds that are tried: so many shares of the measured images, the surest first."""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Above the `threshold` of confidence few answers are wrong: so many were `wrong` of those `measured` there.

    Where nothing can be promised the threshold is None, and `missing` is how many more measured images are needed at
    least, if none of them were wrong.
    """

    threshold: float | None
    measured: int
    wrong: int
    missing: int = 0


def needed(error: float, wrong: int = 0) -> int:
    """Of how many answers so many may be `wrong`, for at most a share of `error` to be promised.

    >>> needed(0.02), needed(0.02, wrong=1)
    (149, 236)
    """
    return int(nbinom.ppf(SURE, wrong + 1, error)) + wrong + 1


def acceptance(
    confidences: Sequence[float] | NDArray[np.float64], right: Sequence[bool] | NDArray[np.bool_], error: float
) -> Acceptance:
    """The lowest confidence above which at most a share of `error` is wrong, with 95 % confidence.

    `confidences` and whether each answer was `right` are of images drawn at random. An exact binomial test at each of
    up to 50 thresholds, the surest answers first, and no further than the first that fails: in such a fixed order no
    correction for choosing among them is needed (Maurer et al. 1995; Angelopoulos et al. 2021). The thresholds are
    numbers of images, so that what was right has no part in choosing them; the first lets one answer be wrong, where
    there are enough.
    """
    sure = np.asarray(confidences, dtype=np.float64)
    order = np.argsort(-sure, kind="stable")
    sure, wrong = sure[order], np.cumsum(~np.asarray(right, dtype=bool)[order])
    least, found = needed(error), Acceptance(None, 0, 0)
    if len(sure) < least:
        return Acceptance(None, len(sure), int(wrong[-1]) if len(sure) else 0, least - len(sure))
    first = one if (one := needed(error, wrong=1)) <= len(sure) else least
    for count in np.unique(np.linspace(first, len(sure), STEPS).astype(int)):
        # Who is as sure as the last one is on the same side of the threshold.
        last = int(np.searchsorted(-sure, -sure[count - 1], side="right"))
        if binom.cdf(wrong[last - 1], last, error) > 1 - SURE:
            break
        found = Acceptance(float(sure[last - 1]), last, int(wrong[last - 1]))
    return found if found.threshold is not None else Acceptance(None, len(sure), int(wrong[-1]))
