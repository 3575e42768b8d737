"""The strategies on networks instead of closed forms: what dropout, batches and committees do to them."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from pickwell import models
from pickwell.errors import SettingsError, TrainingError
from pickwell.learner import Devices, TaskLearner
from pickwell.learner.generators import isolated
from pickwell.strategies import Strategy, available, create
from pickwell.testing import FakeView, blobs, train_auxiliary

KNOWN, COUNT = (1, 4, 5), 3 + 256 + 1
"""A chunk of the unlabelled images, and one more: kernels are chosen by how many images there are."""
LEARNT = [name for name in available() if name != "random"]
QUICK: dict[str, Any] = {"steps": 4, "latent": 4, "widths": (8, 16), "discriminator_width": 16, "feature_width": 8}


def learner(name: str = "small_cnn", members: int = 1, width: float = 0.25) -> TaskLearner:
    networks = []
    with isolated():
        for seed in range(members):
            torch.manual_seed(seed)
            networks.append(models.load(name, 10, image_size=8, width=width))
    return TaskLearner(networks, Devices("fp32"), seed=4)


def picks(strategy: str, taught: TaskLearner, *, budget: int = 9) -> list[tuple[int, float]]:
    view = FakeView(blobs(), KNOWN, learner=taught)  # type: ignore[arg-type]
    return [(pick.item, pick.score) for pick in create(strategy).select(view, budget)]


def ready(name: str, images: Tensor) -> tuple[Strategy, FakeView]:
    """The strategy, with its own networks trained, and the view of the pool."""
    strategy = create(name, QUICK | ({"vae_steps": 2} if name == "vaal-frozen" else {}) if name[:4] == "vaal" else {})
    taught = learner(members=strategy.committee, width=1)
    view = FakeView(Devices("fp32").put(images), KNOWN, learner=taught)  # type: ignore[arg-type]
    return train_auxiliary(strategy, view), view


def scores(strategy: Strategy, view: FakeView, budget: int, **changes: Any) -> dict[int, float]:
    return {pick.item: pick.score for pick in strategy.select(replace(view, **changes), budget)}


@pytest.mark.parametrize("name", LEARNT)
def test_picks_and_scores_do_not_depend_on_the_readers_batches(name: str) -> None:
    strategy, view = ready(name, blobs(COUNT))
    expected = list(scores(strategy, view, 9).items())
    assert len(expected) == 9
    for batch_size in (1, 7, 33, 256):
        assert list(scores(strategy, view, 9, batch_size=batch_size).items()) == expected


@pytest.mark.parametrize("name", LEARNT)
def test_equal_images_tie_wherever_they_are(name: str) -> None:
    strategy, view = ready(name, blobs()[:1].repeat(COUNT, 1, 1, 1))
    assert [*scores(strategy, view, COUNT - 3)] == view.unlabelled.ids().tolist()


@pytest.mark.parametrize(
    "name",
    ["dbal", "ensemble", "entropy", "least-confidence", "margin", "mc-dropout", "qbc", "vaal", "vaal-no-vae"],
)
def test_a_score_is_its_images_alone(name: str) -> None:
    """Of any part of the pool, in any place, an image has the score that it has among all."""
    strategy, view = ready(name, blobs(COUNT))
    expected = scores(strategy, view, COUNT - 3)
    for more in (range(COUNT - 1), range(0, COUNT, 2), [7]):
        known = {*KNOWN, *more}
        budget = COUNT - len(known)
        found = scores(strategy, view, budget, labelled_places=sorted(known))
        assert found == {item: expected[item] for item in found}
        assert len(found) == budget


@pytest.mark.parametrize("strategy", ["mc-dropout", "dbal"])
def test_dropout_passes_leave_the_network_and_everybodys_randomness_alone(strategy: str) -> None:
    taught = learner()
    (network,) = taught.members
    state = {name: value.clone() for name, value in network.state_dict().items()}
    chance = torch.get_rng_state()
    first = picks(strategy, taught)
    assert all(score > 0 for _, score in first)
    assert not any(module.training for module in network.modules())
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())
    assert torch.equal(torch.get_rng_state(), chance)


@pytest.mark.parametrize("strategy", ["mc-dropout", "dbal", "ensemble", "qbc", "suggestive-annotation"])
def test_one_network_without_dropout_has_nothing_to_sample(strategy: str) -> None:
    with pytest.raises(SettingsError, match=r"has no dropout layer, so it cannot give posterior samples; choose"):
        picks(strategy, learner("resnet18"))


def test_a_committee_needs_no_dropout() -> None:
    assert len(picks("qbc", learner("resnet18", members=5))) == 9


def test_a_diverged_network_is_a_sentence_not_a_pick() -> None:
    taught = learner()
    with torch.no_grad():
        next(taught.members[0].parameters()).fill_(torch.nan)
    with pytest.raises(TrainingError, match=r"the score of item \d+ is nan, not a number"):
        picks("entropy", taught)
