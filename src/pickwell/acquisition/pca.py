"""Principal components: the directions in which rows vary most."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pickwell.acquisition.row_blocks import blocks


def leading(product: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The largest eigenvalues of a symmetric matrix `(D, D)`, `count` at most, and their vectors in columns.

    The sign of a vector is the library's choice.
    """
    values, vectors = torch.linalg.eigh(product)
    return values.flip(0)[:count], vectors.flip(1)[:, :count]


def plane(rows: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The mean `(D,)` and the two principal axes `(D, 2)` of rows `(N, D)`, read block by block.

    The covariance is summed exactly; of each axis the component of largest size is positive. A single row, or a single
    column, has axes of zeros for what it lacks.
    """
    count, width = rows.shape
    mean = sum((rows[part].sum(0, dtype=np.float64) for part in blocks(count)), np.zeros(width)) / max(count, 1)
    covariance = np.zeros((width, width))
    for part in blocks(count):
        away = rows[part] - mean
        covariance += away.T @ away
    axes = np.zeros((width, 2))
    axes[:, : min(2, width)] = leading(torch.from_numpy(covariance), 2)[1].numpy()
    # Without this a map might be mirrored.
    largest = axes[np.abs(axes).argmax(0), [0, 1]]
    return mean, axes * np.where(largest < 0, -1, 1)
