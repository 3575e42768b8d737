"""A query that learns from vectors goes on where a killed one was, and picks what it would have picked."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from pickwell.learner.checkpoints import Checkpoint
from pickwell.strategies.vaal.vae_and_discriminator import Pair
from pickwell.strategies.vaal_diverse import VAALDiverse
from pickwell.testing import FakeView, blobs, train_auxiliary

BUDGET = 9


def query(checkpoint: Checkpoint | None = None) -> list[tuple[int, float]]:
    strategy = VAALDiverse(steps=10, latent=4, feature_width=8, discriminator_width=16)
    view = FakeView(blobs(), (1, 4, 5, 9), (2,), checkpoint=checkpoint)
    return [(pick.item, pick.score) for pick in train_auxiliary(strategy, view).select(view, BUDGET)]


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The steps taken; the eighth of the first query kills it."""
    steps: list[int] = []
    deaths: list[int] = []
    real = Pair.training_step

    def step(pair: Pair, x_l: Tensor, x_u: Tensor) -> dict[str, float]:
        if pair.steps == 7 and not deaths:
            deaths.append(pair.steps)
            raise KeyboardInterrupt
        steps.append(pair.steps)
        return real(pair, x_l, x_u)

    monkeypatch.setattr(Pair, "training_step", step)
    return steps


def test_it_goes_on_and_picks_the_same(tmp_path: Path, taken: list[int]) -> None:
    with pytest.raises(KeyboardInterrupt):
        query(Checkpoint(tmp_path / "query", "key", seconds=0))
    assert taken == list(range(7))
    torch.manual_seed(99)  # whatever was drawn in between
    found = query(Checkpoint(tmp_path / "query", "key", seconds=0))
    assert taken == list(range(10))
    assert found == query()
    assert found == query(Checkpoint(tmp_path / "query", "another key"))
    assert taken == list(range(10)) * 3


def test_what_is_not_due_is_not_kept(tmp_path: Path, taken: list[int]) -> None:
    with pytest.raises(KeyboardInterrupt):
        query(Checkpoint(tmp_path / "query", "key", seconds=60))
    assert not (tmp_path / "query").exists()
