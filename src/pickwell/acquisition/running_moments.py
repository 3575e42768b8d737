"""Mean and variance of rows that come part by part."""

import torch
from torch import Tensor


class Moments:
    """The mean and the variance of each column, float64 `(D,)`, by Chan's update: memory does not grow with the rows.

    >>> moments = Moments()
    >>> for part in (torch.tensor([[1.0], [3.0]]), torch.tensor([[8.0]])):
    ...     moments.update(part)
    >>> moments.count, moments.mean.tolist(), (moments.variance * 3).tolist()
    (3, [4.0], [26.0])
    """

    def __init__(self) -> None:
        self.count = 0
        self.mean = self._squares = torch.zeros((), dtype=torch.float64)

    def update(self, rows: Tensor) -> None:
        """Takes in one part, `(B, D)`."""
        rows = rows.double().cpu()
        mean, before, share = rows.mean(0), self.count, len(rows) / (self.count + len(rows))
        # Not the difference of two large sums: it would lose a small variance.
        shift = mean - self.mean
        self._squares = self._squares + (rows - mean).square().sum(0) + shift.square() * (before * share)
        self.mean = self.mean + shift * share
        self.count += len(rows)

    @property
    def variance(self) -> Tensor:
        """The variance over all rows so far."""
        return self._squares / max(self.count, 1)
