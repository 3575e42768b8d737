"""Draws weighted by score: their distribution, and that chance belongs to the item."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare, kstest

from pickwell.acquisition.stochastic import Picking, gumbel, perturbed
from pickwell.errors import SettingsError


def test_the_noise_is_gumbel() -> None:
    noise = gumbel(3, torch.arange(100_000)).numpy()
    assert kstest(noise, "gumbel_r").pvalue > 0.01
    # Neighbouring ids and neighbouring seeds know nothing of one another.
    for other in (gumbel(3, torch.arange(1, 100_001)), gumbel(4, torch.arange(100_000))):
        assert abs(float(torch.corrcoef(torch.stack((torch.from_numpy(noise), other)))[0, 1])) < 0.02


@given(seed=st.integers(0, 2**63 - 1), ids=st.lists(st.integers(0, 2**62), unique=True, min_size=1), cut=st.integers(0))
def test_an_items_noise_does_not_depend_on_its_chunk(seed: int, ids: list[int], cut: int) -> None:
    every = torch.tensor(ids)
    at = cut % (len(ids) + 1)
    noise = gumbel(seed, every)
    assert torch.equal(noise, torch.cat((gumbel(seed, every[:at]), gumbel(seed, every[at:]))))
    assert noise.isfinite().all()


@pytest.mark.parametrize(
    ("picking", "weights"),
    [
        ("power", [1.0, 4.0, 16.0, 0.0]),
        ("softmax", [math.exp(2), math.exp(4), math.exp(8), 1.0]),
        ("softrank", [1 / 9, 1 / 4, 1.0, 1 / 16]),
    ],
)
def test_the_first_pick_is_weighted_as_stated(picking: Picking, weights: list[float]) -> None:
    ids, scores = torch.tensor([5, 7, 8, 11]), torch.tensor([1.0, 2.0, 4.0, 0.0])
    trials = 4000
    first = [int(perturbed(ids, scores, picking, 2.0, seed).argmax()) for seed in range(trials)]
    counts = torch.bincount(torch.tensor(first), minlength=4).double()
    expected = torch.tensor(weights, dtype=torch.float64) / sum(weights) * trials
    seen = expected > 0
    assert counts[~seen].sum() == 0
    assert chisquare(counts[seen].numpy(), expected[seen].numpy()).pvalue > 0.001


@pytest.mark.parametrize("sharpness", [0.01, 1.0, 50.0])
def test_scores_of_nothing_are_drawn_last_and_by_lot(sharpness: float) -> None:
    ids, scores = torch.arange(12), torch.zeros(12)
    scores[7], scores[9] = 1e-30, 1.0
    orders = set()
    for seed in range(20):
        ranked = perturbed(ids, scores, "power", sharpness, seed)
        assert ranked.isfinite().all()
        order = ranked.argsort(descending=True).tolist()
        assert set(order[:2]) == {7, 9}
        orders.add(tuple(order[2:]))
    assert len(orders) == 20


def test_top_is_the_scores_themselves() -> None:
    scores = torch.tensor([0.1, 0.7])
    assert perturbed(torch.tensor([0, 1]), scores, "top", 9.0, 1).tolist() == scores.double().tolist()


def test_equal_scores_rank_by_id() -> None:
    ids, scores = torch.tensor([9, 4, 6]), torch.tensor([0.5, 0.5, 0.75])
    weight = perturbed(ids, scores, "softrank", 1.0, 0) - gumbel(0, ids)
    assert weight.exp().tolist() == pytest.approx([1 / 3, 1 / 2, 1.0])


def test_a_power_of_a_negative_score_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"'power', but item 9 has the score -0\.5; .* choose softmax or softrank"):
        perturbed(torch.tensor([3, 9]), torch.tensor([1.0, -0.5]), "power", 1.0, 0)
