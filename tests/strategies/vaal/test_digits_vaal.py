"""VAAL finds the classes that the labels lack, on real handwritten digits."""

from dataclasses import dataclass
from statistics import mean

import pytest
import torch
from sklearn.datasets import load_digits
from torch.nn.functional import interpolate

from pickwell.strategies import Strategy
from pickwell.strategies.vaal import VAAL
from pickwell.strategies.vaal.monitors import auc
from pickwell.testing import FakeView, train_auxiliary

ABSENT = 7
LABELLED = 140
BUDGET = 90
SEEDS = range(5)


@dataclass(frozen=True)
class Outcome:
    share: float
    auc: float
    monitors: dict[str, object]


def query(strategy: Strategy, seed: int) -> Outcome:
    """Trains on 140 labelled digits 0-6 and 1,657 unlabelled of all classes; queries 90."""
    digits = load_digits()
    images = interpolate(torch.tensor(digits.images / 16, dtype=torch.float32)[:, None], 16, mode="bilinear")
    classes = torch.tensor(digits.target)
    order = torch.randperm(len(classes), generator=torch.Generator().manual_seed(seed))
    labelled = order[classes[order] < ABSENT][:LABELLED].tolist()
    view = FakeView(images.expand(-1, 3, -1, -1).contiguous(), labelled, seed=seed, batch_size=256, every=1)
    train_auxiliary(strategy, view, batch_size=64)
    picked = torch.tensor([pick.item for pick in strategy.select(view, BUDGET)])
    ranking = torch.tensor([[pick.item, pick.score] for pick in strategy.select(view, len(view.unlabelled))])
    absent = classes[ranking[:, 0].long()] >= ABSENT
    return Outcome(
        share=float((classes[picked] >= ABSENT).float().mean()),
        auc=auc(ranking[absent, 1], ranking[~absent, 1]),
        monitors=strategy.monitors(),
    )


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_absent_classes_are_found() -> None:
    outcomes = [query(VAAL(), seed) for seed in SEEDS]
    assert mean(outcome.share for outcome in outcomes) >= 0.85
    assert mean(outcome.auc for outcome in outcomes) >= 0.88
    assert all(outcome.monitors["active_units"] > 0 for outcome in outcomes)  # type: ignore[operator]
    assert not any(outcome.monitors["warnings"] for outcome in outcomes)


@pytest.mark.slow
def test_the_released_codes_scaling_collapses_and_is_reported() -> None:
    outcome = query(VAAL(observation="released_code", steps=300, averaging=0), 0)
    assert outcome.monitors["active_units"] == 0
    assert "VAE collapsed: none of 32 latent units is active" in str(outcome.monitors["warnings"])
    assert outcome.auc < 0.65
