"""Which side of a measurement an image is on: what belongs together is learnt from or measured on, never both."""

import numpy as np
from numpy.typing import NDArray

from pickwell.store import Labels

Ids = NDArray[np.int64]
NONE: Ids = np.empty(0, np.int64)


def joined(first: Ids, pairs: Ids) -> Ids:
    """The first image of each one's group, `(N,)`, once the groups of the pairs `(P, 2)` are one.

    >>> joined(np.arange(5), np.array([[3, 4], [1, 3]])).tolist()
    [0, 1, 2, 1, 1]
    """
    while True:
        groups = first[pairs]
        lower = first.copy()
        np.minimum.at(lower, groups.ravel(), np.repeat(groups.min(axis=1), 2))
        lower = lower[lower]
        if np.array_equal(lower, first):
            return first
        first = lower


class Sides:
    """The groups of a pool's images, `first` `(N,)` of each one's group, and which are on which side of labels."""

    def __init__(self, first: Ids, labels: Labels) -> None:
        self.first = first
        self.held = np.unique(first[labels.items[labels.held_out]])
        """The groups that are measured on; of one that has labels of both sides those to learn from are left out."""
        self.learnt = np.setdiff1d(first[labels.items[~labels.held_out]], self.held)

    def may_be_held(self, items: Ids) -> Ids:
        """Those of the items that can be measured on: nothing of their groups is learnt from."""
        return items[~np.isin(self.first[items], self.learnt)]

    def may_be_learnt(self, items: Ids, drawn: Ids) -> Ids:
        """Those of the items that can be learnt from: nothing of their groups is measured on, or `drawn` to be."""
        return items[~np.isin(self.first[items], np.union1d(self.held, self.first[drawn]))]

    def is_held(self, item: int, draw: float, share: float) -> bool:
        """Whether an imported label is to measure on: as the rest of its group, else by the group's `draw`."""
        group = self.first[item]
        return bool(group in self.held) or (group not in self.learnt and draw < share)
