"""The strategies on networks instead of closed forms: what dropout, batches and committees do to them."""

import pytest
import torch

from pickwell import models
from pickwell.errors import SettingsError, TrainingError
from pickwell.learner import Devices, TaskLearner
from pickwell.learner.generators import isolated
from pickwell.strategies import create
from pickwell.testing import FakeView, blobs


def learner(name: str = "small_cnn", members: int = 1) -> TaskLearner:
    networks = []
    with isolated():
        for seed in range(members):
            torch.manual_seed(seed)
            networks.append(models.load(name, 3, image_size=8, width=0.25))
    return TaskLearner(networks, Devices("fp32"), seed=4)


def picks(strategy: str, taught: TaskLearner, *, batch_size: int = 16, budget: int = 9) -> list[tuple[int, float]]:
    view = FakeView(blobs(), [1, 4, 5], batch_size=batch_size, learner=taught)  # type: ignore[arg-type]
    return [(pick.item, pick.score) for pick in create(strategy).select(view, budget)]


@pytest.mark.parametrize(
    "strategy", ["entropy", "mc-dropout", "dbal", "core-set", "badge", "ensemble", "qbc", "suggestive-annotation"]
)
def test_picks_and_scores_do_not_depend_on_the_readers_batches(strategy: str) -> None:
    taught = learner(members=create(strategy).committee)
    expected = picks(strategy, taught)
    assert len({item for item, _ in expected}) == 9
    for batch_size in (1, 7, 48):
        assert picks(strategy, taught, batch_size=batch_size) == expected


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
