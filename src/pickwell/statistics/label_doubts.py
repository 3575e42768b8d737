"""Labels that predictions contradict: confident learning (Northcutt, Jiang and Chuang 2021)."""

import numpy as np
from numpy.typing import NDArray

ROUNDING = 1e-6
"""A probability is at least the mean of equal ones."""


def contradicted(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Places of the rows whose label is likely wrong, the likeliest first.

    `probabilities` `(N, C)` are of images that who says them did not learn from, `labels` `(N,)` places of classes. A
    class counts for an image if it is as likely there as, on the mean, on the images labelled so. A label is doubted if
    another class that counts is likelier, and the label is not the likeliest of all. In order of its probability less
    that of the likeliest other class; ties by place.
    """
    if not len(labels):
        return np.empty(0, dtype=np.int64)
    own = probabilities[np.arange(len(labels)), labels]
    counts = np.bincount(labels, minlength=probabilities.shape[1])
    sums = np.bincount(labels, weights=own, minlength=probabilities.shape[1])
    # Of a class that nothing is labelled as nobody can be confident.
    thresholds = np.where(counts > 0, sums / np.maximum(counts, 1), np.inf)
    counting = np.where(probabilities >= thresholds - ROUNDING, probabilities, -1.0)
    others = probabilities.copy()
    others[np.arange(len(labels)), labels] = -1.0
    margin = own - others.max(1)
    wrong = np.flatnonzero((counting.max(1) > counting[np.arange(len(labels)), labels]) & (margin < 0))
    return wrong[np.argsort(margin[wrong], kind="stable")]
