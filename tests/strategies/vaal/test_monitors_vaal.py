"""Monitors against their definitions, and every warning when and only when it is due."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score
from torch import Tensor

from pickwell.strategies.vaal.losses import kl_divergence
from pickwell.strategies.vaal.monitors import LatentMonitor, accuracy, auc, histogram, report
from pickwell.strategies.vaal.vae_and_discriminator import Encoded


def monitor(mu: Tensor, logvar: Tensor, chunk: int = 7) -> LatentMonitor:
    made = LatentMonitor()
    for start in range(0, len(mu), chunk):
        part = slice(start, start + chunk)
        made.update(Encoded(mu[part], logvar[part], torch.empty(0)))
    return made


@settings(deadline=None)
@given(seed=st.integers(0, 99), count=st.integers(2, 60), chunk=st.integers(1, 61))
def test_running_sums_equal_those_over_the_whole_pool(seed: int, count: int, chunk: int) -> None:
    g = torch.Generator().manual_seed(seed)
    # Far from zero, where a difference of squares would have lost the variance.
    mu, logvar = 1000 + torch.randn(count, 3, generator=g), torch.randn(count, 3, generator=g)
    made = monitor(mu, logvar, chunk)
    torch.testing.assert_close(made.mu.variance, mu.double().var(0, correction=0))
    torch.testing.assert_close(made.kl.mean, kl_divergence(mu, logvar).double().mean(0))


def test_a_unit_is_active_if_its_mean_varies_by_more_than_a_hundredth() -> None:
    wave = torch.tensor([-1.0, 1.0]).repeat(50)[:, None]
    mu = 5 + wave * torch.tensor([0.09, 0.11, 1.0, 0.0])
    assert monitor(mu, torch.zeros_like(mu)).active_units() == 2


@settings(deadline=None)
@given(
    positive=st.lists(st.integers(-3, 3), min_size=1, max_size=30),
    negative=st.lists(st.integers(-3, 3), min_size=1, max_size=30),
)
def test_auc_equals_the_usual_one_with_ties(positive: list[int], negative: list[int]) -> None:
    expected = roc_auc_score([1] * len(positive) + [0] * len(negative), positive + negative)
    assert auc(torch.tensor(positive).float(), torch.tensor(negative).float()) == pytest.approx(expected)


def test_accuracy_weighs_both_pools_the_same() -> None:
    assert accuracy(torch.tensor([1.0, -1.0]), torch.tensor([-1.0] * 9 + [2.0])) == pytest.approx((0.5 + 0.9) / 2)


def test_the_histogram_counts_scores_not_logits() -> None:
    counts = histogram(torch.tensor([50.0, 50.0, 0.01, -50.0]))
    assert len(counts) == 20
    assert (counts[0], counts[9], counts[19], sum(counts)) == (2, 1, 1, 4)


def made(
    labelled: Tensor, unlabelled: Tensor, held_out: Tensor | None = None, *, active: bool = True
) -> dict[str, Any]:
    mu = torch.randn(50, 4, generator=torch.Generator().manual_seed(0)) * (1.0 if active else 0.01)
    empty = torch.empty(0)
    return report(monitor(mu, torch.zeros_like(mu)), labelled, unlabelled, empty if held_out is None else held_out)


def test_a_healthy_run_has_numbers_and_no_warning() -> None:
    g = torch.Generator().manual_seed(0)
    labelled, unlabelled, held_out = (torch.randn(200, generator=g) + shift for shift in (1.0, -1.0, 0.0))
    values = made(labelled, unlabelled, held_out)
    assert values["warnings"] == []
    assert (values["active_units"], values["latent_units"], len(values["kl_per_unit"])) == (4, 4, 4)
    assert values["discriminator_auc"] == auc(labelled, unlabelled) > 0.9
    assert values["discriminator_auc_held_out"] == auc(held_out, unlabelled) < 0.9
    assert sum(values["score_histogram"]) == sum(values["score_histogram_labelled"]) == 200


def test_a_collapsed_vae_is_called_so() -> None:
    values = made(torch.ones(9), -torch.ones(9), active=False)
    assert values["active_units"] == 0
    (warning,) = values["warnings"]
    assert warning.startswith("VAE collapsed: none of 4 latent units is active")


def test_a_saturated_discriminator_is_called_so_but_not_a_merely_good_one() -> None:
    spread = torch.linspace(-3, -2, 50)
    (warning,) = made(torch.full((9,), 20.0), -20 + spread)["warnings"]
    assert warning.startswith("D saturated: it tells labelled from unlabelled perfectly (AUC 1.000)")
    assert made(torch.full((9,), 20.0), spread)["warnings"] == []


def test_a_blind_discriminator_is_called_so() -> None:
    same = torch.linspace(-1, 1, 50)
    (warning,) = made(same, same)["warnings"]
    assert warning == "D blind: it cannot tell labelled from unlabelled (AUC 0.50)"


def test_without_labelled_images_nothing_is_said_of_d() -> None:
    values = made(torch.empty(0), torch.ones(4))
    assert "discriminator_auc" not in values
    assert values["warnings"] == []
