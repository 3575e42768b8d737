"""Logistic regression against scikit-learn's, and at its edges."""

import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch.nn.functional import normalize

from pickwell.learner.logistic_regression import ABSENT, balanced, logistic_regression


def sample(count: int, width: int, classes: int) -> tuple[torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(count)
    targets = torch.randint(classes, (count,), generator=g)
    middles = torch.randn(classes, width, generator=g)
    return normalize(middles[targets] + torch.randn(count, width, generator=g)), targets


@pytest.mark.parametrize(("count", "width", "classes", "c"), [(30, 60, 3, 30.0), (200, 20, 5, 1.0), (50, 50, 4, 100.0)])
@pytest.mark.parametrize("weighted", [False, True])
def test_probabilities_are_scikit_learns(count: int, width: int, classes: int, c: float, weighted: bool) -> None:
    rows, targets = sample(count, width, classes)
    shares = balanced(targets, classes) if weighted else None
    weight, bias = logistic_regression(rows, targets, classes, c, shares)
    found = (rows @ weight.T + bias).softmax(1)
    theirs = LogisticRegression(C=c, tol=1e-9, max_iter=5000, class_weight="balanced" if weighted else None)
    expected = theirs.fit(rows.double().numpy(), targets.numpy()).predict_proba(rows.double().numpy())
    assert found.numpy() == pytest.approx(expected, abs=1e-3)


def test_a_class_that_nothing_is_labelled_with_is_never_predicted() -> None:
    rows, targets = sample(40, 10, 3)
    weight, bias = logistic_regression(rows, targets * 2, 6, 30.0)  # classes 0, 2 and 4 of 6
    assert weight[[1, 3, 5]].abs().max() == 0
    assert bias[[1, 3, 5]].tolist() == [ABSENT] * 3
    probabilities = (rows @ weight.T + bias).softmax(1)
    assert probabilities[:, [1, 3, 5]].max() < 1e-9
    assert probabilities.isfinite().all()


def test_one_class_alone_is_predicted_of_everything() -> None:
    rows, _ = sample(5, 10, 2)
    weight, bias = logistic_regression(rows, torch.ones(5, dtype=torch.int64), 3, 30.0)
    assert ((rows @ weight.T + bias).argmax(1) == 1).all()


def test_the_same_twice_and_whatever_is_drawn_elsewhere() -> None:
    rows, targets = sample(60, 100, 4)
    first = logistic_regression(rows, targets, 4, 30.0)
    torch.rand(3)
    assert all(map(torch.equal, first, logistic_regression(rows, targets, 4, 30.0)))
