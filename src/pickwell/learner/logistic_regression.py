"""Multinomial logistic regression, solved to the end: the head that frozen features are read with."""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits
from torch import Tensor

Matrix = NDArray[np.float64]

ABSENT = -30.0
"""The logit of a class that nothing is labelled with, beside those of others that lie around 0."""
MOST_STEPS = 1000
"""L-BFGS needs some 50 to 200."""
FLAT = 1e-6
"""The largest slope that is left: probabilities then differ by less."""


def logistic_regression(
    rows: Tensor, targets: Tensor, classes: int, c: float, sample_weight: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """The weights `(C, D)` and biases `(C,)`, float32, that minimise `|W|^2 / 2 + c x` the sum of cross-entropies.

    `rows` are `(N, D)`, `targets` int64 `(N,)`; `c` is scikit-learn's `C`, biases are not penalised. A class that no
    row has gets no weight and a bias so low that it is never predicted. Solved from zero by L-BFGS in double
    precision, so that a fit is the same whatever came before it.
    """
    weight, bias = torch.zeros(classes, rows.shape[1]), torch.full((classes,), ABSENT)
    present, places = targets.unique(return_inverse=True)
    inputs, basis = _thin(rows.double())
    shares = torch.ones(len(rows)) if sample_weight is None else sample_weight
    found = _solved(inputs.numpy(), places.numpy(), len(present), c, shares.double().numpy())
    solved = torch.from_numpy(found)
    inner = solved[:-1]
    weight[present] = (inner if basis is None else basis @ inner).T.float()
    bias[present] = (solved[-1] - solved[-1].mean()).float()
    return weight, bias


def balanced(targets: Tensor, classes: int) -> Tensor:
    """A weight for each row `(N,)`, of mean 1, with which all classes that occur count the same.

    >>> balanced(torch.tensor([0, 0, 0, 1]), 3).tolist()
    [0.6666666865348816, 0.6666666865348816, 0.6666666865348816, 2.0]
    """
    counts = torch.bincount(targets, minlength=classes)
    return (len(targets) / (counts > 0).sum() / counts.clamp_min(1))[targets]


def _thin(rows: Tensor) -> tuple[Tensor, Tensor | None]:
    """The rows in a basis of the space that they span, and the basis `(D, N)`, where they are few beside the numbers.

    The penalty is the same in any basis, so the solution is, and each step costs as many times less.
    """
    if 2 * len(rows) > rows.shape[1]:  # what is saved would not pay for the basis
        return rows, None
    basis, inner = torch.linalg.qr(rows.T)
    return inner.T.contiguous(), basis


def _solved(rows: Matrix, places: NDArray[np.int64], classes: int, c: float, shares: Matrix) -> Matrix:
    """The weights `(D, C)` and, below them, the biases."""
    count, width = rows.shape
    truth = np.zeros((count, classes))
    truth[np.arange(count), places] = 1
    scale = 1 / (c * count)

    def loss(flat: Matrix) -> tuple[float, Matrix]:
        values = flat.reshape(width + 1, classes)
        logits = rows @ values[:-1] + values[-1]
        logits -= logits.max(1, keepdims=True)
        powers = np.exp(logits)
        totals = powers.sum(1, keepdims=True)
        errors = (powers / totals - truth) * (shares[:, None] / count)
        entropy = (shares * (np.log(totals[:, 0]) - (logits * truth).sum(1))).mean()
        slope = np.vstack((rows.T @ errors + scale * values[:-1], errors.sum(0)))
        return entropy + scale / 2 * np.square(values[:-1]).sum(), slope.ravel()

    start = np.zeros((width + 1) * classes)
    # One thread: such small products gain nothing by more, and threads of two libraries would wait for one another.
    with threadpool_limits(1, user_api="blas"):
        found = minimize(
            loss, start, jac=True, method="L-BFGS-B", options={"maxiter": MOST_STEPS, "gtol": FLAT, "ftol": 0.0}
        )
    values: Matrix = found.x.reshape(width + 1, classes)
    return values
