from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch

from pickwell import models, tasks
from pickwell.config import TaskSettings
from pickwell.errors import TrainingError
from pickwell.learner import Batch, Devices, Draws
from pickwell.learner.checkpoints import Checkpoint
from pickwell.learner.task_learning import learning_of
from pickwell.learner.training import Plan, Trainer, steps_for, train
from pickwell.strategies import create

DEVICES = Devices("fp32")
TASK = learning_of(tasks.named("classification")(TaskSettings(classes=("dark", "bright")), Path()))


class Shades:
    """Dark images have even ids, bright ones odd ids."""

    def get(self, ids: torch.Tensor) -> torch.Tensor:
        noise = torch.randint(0, 60, (1000, 3, 8, 8), generator=torch.Generator().manual_seed(0))
        return (noise[ids] + 120 * (ids % 2)[:, None, None, None]).to(torch.uint8)


def setting(steps: int = 30, rate: float = 3e-3) -> tuple[list[Trainer], Draws, Plan]:
    plan = Plan(steps, rate, 0.0, "cosine", seed=4)
    torch.manual_seed(1)
    network = DEVICES.setup(models.load("small_cnn", 2, image_size=8, width=0.25))
    ids = torch.arange(40)
    draws = Draws(Shades(), ids, ids % 2, torch.arange(100, 300), 16, "crop-flip", 4, DEVICES)
    return [Trainer(network, TASK, plan, DEVICES)], draws, plan


class Resting:
    """An auxiliary model that counts its steps."""

    def __init__(self, steps: int = 0) -> None:
        self.joint_steps, self.seen = steps, list[float]()

    def begin(self, devices: Devices, sample: Batch) -> None: ...

    def train_step(self, batch: Batch, draw: Callable[[], Batch]) -> Mapping[str, float]:
        self.seen.append(float(batch.x_u.sum() + draw().x_u.sum() + torch.rand(())))
        return {}

    def state(self) -> dict[str, torch.Tensor]:
        return {}

    def load_state(self, state: Mapping[str, torch.Tensor]) -> None: ...


def weights(trainer: Trainer) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in trainer.network.parameters()])


def test_the_task_is_learnt() -> None:
    (trainer,), draws, plan = setting()
    train([trainer], Resting(), draws, plan)
    test = torch.arange(300, 400)
    guess = trainer.network(Shades().get(test).float() / 255).argmax(1)
    assert (guess == test % 2).float().mean() > 0.9
    assert not trainer.network.training


def test_the_network_stays_in_train_mode_while_it_learns() -> None:
    """The authors' code froze batch norm after its first validation."""
    (trainer,), draws, plan = setting(3)
    modes = []
    trainer.network.register_forward_hook(lambda module, *_: modes.append(module.training))
    trainer.network.eval()
    train([trainer], Resting(), draws, plan)
    assert modes == [True, True, True]


def test_steps_follow_from_the_labelled_pool() -> None:
    """The authors' code scaled them to the full data set."""
    assert steps_for(140, 64, 100) == 300
    assert steps_for(5000, 64, 100) == 7900
    assert steps_for(10, 64, 2, least=50) == 50


def test_the_auxiliary_model_takes_its_own_steps() -> None:
    for own in (2, 5, 9):
        (trainer,), draws, plan = setting(5)
        auxiliary = Resting(own)
        train([trainer], auxiliary, draws, plan)
        assert len(auxiliary.seen) == own


def test_the_auxiliary_model_changes_nothing_for_the_task_model() -> None:
    results = []
    for own in (0, 7):
        (trainer,), draws, plan = setting(5)
        train([trainer], Resting(own), draws, plan)
        results.append(weights(trainer))
    assert torch.equal(*results)


class KilledError(Exception):
    pass


@pytest.mark.parametrize("strategy", ["random", "vaal"])
def test_a_killed_fit_ends_the_same(tmp_path: Path, strategy: str) -> None:
    def auxiliary(draws: Draws):  # type: ignore[no-untyped-def]
        chosen = create(strategy, {"steps": 6, "widths": (8,), "latent": 4} if strategy == "vaal" else {})
        torch.manual_seed(9)
        chosen.begin(DEVICES, draws.draw(0, both=True))
        return chosen

    (whole,), draws, plan = setting(8)
    first = auxiliary(draws)
    train([whole], first, draws, plan)

    def die(what: str, done: int, total: int) -> None:
        if done == 5:
            raise KilledError

    (killed,), draws, plan = setting(8)
    checkpoint = Checkpoint(tmp_path / "c.safetensors", "key", seconds=0)
    with pytest.raises(KilledError):
        train([killed], auxiliary(draws), draws, plan, checkpoint=checkpoint, progress=die)
    (resumed,), draws, plan = setting(8)
    steps: list[int] = []
    second = auxiliary(draws)
    train([resumed], second, draws, plan, checkpoint=checkpoint, progress=lambda _, done, __: steps.append(done))
    assert steps == [6, 7, 8]
    assert torch.equal(weights(whole), weights(resumed))
    assert first.state().keys() == second.state().keys()
    assert all(torch.equal(value, second.state()[name]) for name, value in first.state().items())


def test_training_leaves_the_global_random_state_alone() -> None:
    (trainer,), draws, plan = setting(2)
    before = torch.get_rng_state()
    train([trainer], Resting(2), draws, plan)
    assert torch.equal(torch.get_rng_state(), before)


def test_divergence_is_named() -> None:
    (trainer,), draws, plan = setting(60, rate=1e30)
    with pytest.raises(TrainingError, match=r"diverged at learning rate 1e\+30; set training\.learning_rate lower"):
        train([trainer], Resting(), draws, plan)
