"""Temperatures: found where they are known, and predictions of rows that a head did not learn from."""

import pytest
import torch
from torch import Tensor

from pickwell.learner.calibration import cooled, out_of_fold, temperature
from pickwell.learner.generators import generator


def drawn(count: int, degrees: float) -> tuple[Tensor, Tensor]:
    """Probabilities that are `degrees` too hot, and classes drawn by the right ones."""
    rng = generator(0, "calibration")
    logits = 2 * torch.randn(count, 4, generator=rng, dtype=torch.float64)
    truth = torch.multinomial(logits.softmax(1), 1, generator=rng)[:, 0]
    return (logits * degrees).softmax(1), truth


@pytest.mark.parametrize("degrees", [0.3, 1.0, 3.0])
def test_the_temperature_undoes_what_made_probabilities_too_sure(degrees: float) -> None:
    probabilities, truth = drawn(20_000, degrees)
    found = temperature(probabilities, truth)
    assert found == pytest.approx(degrees, rel=0.05)
    calm = cooled(probabilities, found)
    sure, best = calm.max(1)
    assert float(sure.mean()) == pytest.approx(float((best == truth).double().mean()), abs=0.01)
    assert torch.equal(best, probabilities.argmax(1))


def test_probabilities_of_nothing_have_a_temperature_of_one() -> None:
    assert temperature(torch.empty(0, 3), torch.empty(0, dtype=torch.int64)) == 1.0


def test_certain_answers_that_are_right_or_wrong_leave_a_finite_temperature() -> None:
    certain = torch.eye(3)
    assert 0 < temperature(certain, torch.arange(3)) < 1
    assert 1 < temperature(certain, torch.tensor([1, 2, 0])) < float("inf")
    assert cooled(certain, 2.0).isfinite().all()


def blobs() -> tuple[Tensor, Tensor]:
    rng = generator(1, "blobs")
    targets = torch.arange(60) % 3
    return torch.eye(3).repeat(1, 4)[targets] + 0.3 * torch.randn(60, 12, generator=rng), targets


def test_rows_are_judged_by_a_head_that_did_not_see_them() -> None:
    rows, targets = blobs()
    said, places = out_of_fold(rows, targets, 3, 30.0)
    assert said.shape == (60, 3)
    assert sorted(places.tolist()) == list(range(60))
    assert (said.argmax(1) == targets[places]).float().mean() > 0.9
    # Of labels that mean nothing a head says its own labels back, and knows nothing of others.
    shuffled = targets[torch.randperm(60, generator=generator(2, "shuffled"))]
    said, places = out_of_fold(rows, shuffled, 3, 1e4)
    assert (said.argmax(1) == shuffled[places]).float().mean() < 0.6


def test_a_class_with_one_label_is_left_out_and_one_class_says_nothing() -> None:
    rows, targets = blobs()
    alone = targets.clone()
    alone[0] = 3
    said, places = out_of_fold(rows, alone, 4, 30.0)
    assert len(said) == 59
    assert 0 not in places.tolist()
    said, places = out_of_fold(rows, torch.zeros_like(targets), 4, 30.0)
    assert said.shape == (0, 4)
    assert len(places) == 0
