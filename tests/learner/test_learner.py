import pytest
import torch

from pickwell import models
from pickwell.errors import SettingsError
from pickwell.learner import Devices, TaskLearner
from pickwell.models.network import Network


def network(name: str = "small_cnn", seed: int = 0, dropout: float | None = 0.5) -> Network:
    torch.manual_seed(seed)
    return models.load(name, 4, image_size=16, width=0.25, dropout=dropout)


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(12, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def test_probabilities_are_the_members_mean(images: torch.Tensor) -> None:
    members = [network(seed=s) for s in range(3)]
    learner = TaskLearner(members, Devices("fp32"))
    each = [TaskLearner([member], Devices("fp32")).predict(images) for member in members]
    torch.testing.assert_close(learner.predict(images), sum(each) / 3)
    torch.testing.assert_close(learner.predict(images).sum(1), torch.ones(12))


def test_a_committee_samples_its_members_in_turn(images: torch.Tensor) -> None:
    members = [network(seed=s) for s in range(2)]
    learner = TaskLearner(members, Devices("fp32"))
    samples = list(learner.sample(images, 3))
    torch.testing.assert_close(samples[1], TaskLearner([members[1]], Devices("fp32")).predict(images))
    torch.testing.assert_close(samples[2], samples[0])


def test_dropout_passes_depend_on_the_image_alone(images: torch.Tensor) -> None:
    learner = TaskLearner([network()], Devices("fp32"), seed=7)
    before = torch.get_rng_state()
    whole = torch.stack(list(learner.sample(images, 5)))
    parts = torch.cat([torch.stack(list(learner.sample(part, 5))) for part in images.tensor_split([5])], dim=1)
    torch.testing.assert_close(whole, parts)
    assert torch.equal(torch.get_rng_state(), before)
    assert (whole[0] - whole[1]).abs().max() > 1e-3
    torch.testing.assert_close(learner.predict(images), learner.predict(images))


def test_dropout_passes_average_to_the_prediction_in_the_linear_part() -> None:
    torch.manual_seed(0)
    layer = torch.nn.Sequential(torch.nn.Dropout(0.4)).eval()
    from pickwell.learner.dropout import one_pass

    total = torch.zeros(50)
    for number in range(2000):
        with one_pass(layer, 0, number):
            total += layer(torch.ones(1, 50))[0]
    torch.testing.assert_close(total / 2000, torch.ones(50), atol=0.1, rtol=0)


def test_a_network_without_dropout_cannot_sample(images: torch.Tensor) -> None:
    learner = TaskLearner([network("resnet18", dropout=None)], Devices("fp32"))
    with pytest.raises(SettingsError, match="resnet18 has no dropout layer"):
        learner.sample(images, 2)


def test_everything_is_in_eval_mode(images: torch.Tensor) -> None:
    trained = network().train()
    learner = TaskLearner([trained], Devices("fp32"))
    statistics = {name: value.clone() for name, value in trained.state_dict().items()}
    learner.predict(images)
    learner.embed(images)
    list(learner.sample(images, 2))
    assert not trained.training
    assert all(torch.equal(value, statistics[name]) for name, value in trained.state_dict().items())
