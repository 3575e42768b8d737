"""Probabilities that are as often right as they say: one temperature for all, as Guo et al. 2017 have it."""

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from torch import Tensor
from torch.nn.functional import cross_entropy

from pickwell.learner.generators import generator
from pickwell.learner.logistic_regression import logistic_regression

FEWEST, MOST, ROWS = 5, 20, 6000
"""Folds, and how many rows their heads learn from in all: more folds judge more nearly the head of all labels."""
COLDEST, HOTTEST = 0.05, 20.0
"""Between these the temperature is looked for."""
LEAST = 1e-30
"""The smallest probability whose logarithm is taken."""


def temperature(probabilities: Tensor, targets: Tensor) -> float:
    """The temperature at which `cooled` probabilities `(N, C)` make the targets `(N,)` likeliest; 1 for none."""
    if not len(targets):
        return 1.0
    logits = probabilities.double().clamp_min(LEAST).log()

    def surprise(logarithm: float) -> float:
        return float(cross_entropy(logits / np.exp(logarithm), targets))

    return float(np.exp(minimize_scalar(surprise, bounds=(np.log(COLDEST), np.log(HOTTEST)), method="bounded").x))


def cooled(probabilities: Tensor, degrees: float) -> Tensor:
    """Probabilities `(B, C, *spatial)` at that temperature: above 1 less sure, below 1 surer; the order stays.

    >>> cooled(torch.tensor([[0.8, 0.2]]), 2.0).round(decimals=3).tolist()
    [[0.6669999957084656, 0.3330000042915344]]
    """
    return probabilities.clamp_min(LEAST).log().div(degrees).softmax(dim=1)


def out_of_fold(
    rows: Tensor, targets: Tensor, classes: int, c: float, weight: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """What logistic regression says of rows `(N, D)` that it did not learn: probabilities `(M, C)`, places `(M,)`.

    Five to twenty folds, drawn at random: with each class's share in every fold heads would know more of what they are
    asked than of new images. Rows whose class no other fold has are left out: nothing could know them. Of labels of a
    single class, nothing is said.
    """
    folds = min(MOST, max(FEWEST, ROWS // max(1, len(rows))))
    fold = torch.randperm(len(rows), generator=generator(0, "folds")) % folds
    said, places = [torch.empty(0, classes)], [torch.empty(0, dtype=torch.int64)]
    for number in range(folds):
        out, rest = fold == number, fold != number
        known = out & torch.isin(targets, targets[rest].unique())
        if not known.any() or len(targets[rest].unique()) < 2:
            continue
        solved = logistic_regression(rows[rest], targets[rest], classes, c, None if weight is None else weight[rest])
        said.append((rows[known] @ solved[0].T + solved[1]).softmax(dim=1))
        places.append(known.nonzero().squeeze(1))
    return torch.cat(said), torch.cat(places)
