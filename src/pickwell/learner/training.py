"""Algorithm 1's outer loop, shared by every strategy."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from pickwell.errors import TrainingError
from pickwell.learner.batches import Batch, Draws
from pickwell.learner.checkpoints import Checkpoint, load_optimiser, named, optimiser_tensors, under
from pickwell.learner.devices import Devices
from pickwell.learner.generators import isolated
from pickwell.learner.task_learning import TaskLearning
from pickwell.models.network import Network
from pickwell.progress import Progress
from pickwell.seeds import derive

EXPLODED = 1e6
"""Nothing is learnt at a cross-entropy above this: a network that knows nothing has log C."""


class AuxiliaryModel(Protocol):
    """What trains beside the task model: a strategy's own networks."""

    @property
    def joint_steps(self) -> int: ...
    def begin(self, devices: Devices, sample: Batch) -> None: ...
    def train_step(self, batch: Batch, draw: Callable[[], Batch]) -> Mapping[str, float]: ...
    def state(self) -> dict[str, Tensor]: ...
    def load_state(self, state: Mapping[str, Tensor]) -> None: ...


@dataclass(frozen=True)
class Plan:
    """How long and how fast the task model learns. `steps` follow from the labelled pool's size, never the pool's."""

    steps: int
    learning_rate: float
    weight_decay: float
    schedule: str
    seed: int

    def rate(self, step: int) -> float:
        """The learning rate at a step: constant, or half a cosine from the full rate to none."""
        if self.schedule == "constant":
            return self.learning_rate
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * step / self.steps))


def steps_for(labelled: int, batch_size: int, epochs: int, least: int = 0) -> int:
    """The optimiser steps of `epochs` passes over the labelled images.

    >>> steps_for(labelled=140, batch_size=64, epochs=100)
    300
    """
    return max(epochs * math.ceil(labelled / batch_size), least)


class Trainer:
    """One task model and its optimiser."""

    def __init__(self, network: Network, task: TaskLearning, plan: Plan, devices: Devices) -> None:
        self.network, self.task, self.plan, self.devices = network, task, plan, devices
        self.optimiser = devices.adam(network, plan.learning_rate, plan.weight_decay)

    def training_step(self, images: Tensor, targets: Tensor, step: int) -> Tensor:
        """Takes one step against the task's loss L_T; returns the loss, a scalar."""
        # At every step: whoever measured in between may have left it in eval mode, with batch norm frozen.
        self.network.train()
        for group in self.optimiser.param_groups:
            group["lr"] = self.plan.rate(step)
        with self.devices.autocast():
            logits = self.network(images)
        loss = self.task.loss(logits.float(), targets)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        return loss.detach()

    def state(self) -> dict[str, Tensor]:
        """The network's and the optimiser's tensors."""
        return named("network", self.network.state_dict()) | named("optimiser", optimiser_tensors(self.optimiser))

    def load_state(self, tensors: Mapping[str, Tensor]) -> None:
        """Puts back what `state` returned."""
        self.network.load_state_dict(under("network", tensors))
        load_optimiser(self.optimiser, under("optimiser", tensors))


def train(
    trainers: Sequence[Trainer],
    auxiliary: AuxiliaryModel,
    draws: Draws,
    plan: Plan,
    *,
    checkpoint: Checkpoint | None = None,
    progress: Progress | None = None,
) -> None:
    """Trains the committee and the strategy's networks: Algorithm 1.

    The three losses share batches, not parameters, so whoever has taken all its steps rests while the others go on.
    Each step's randomness derives from (seed, step, who): taking up a checkpoint changes nothing.
    """
    total = max(plan.steps, auxiliary.joint_steps)
    start = _resume(trainers, auxiliary, checkpoint)
    tell_losses = getattr(progress, "losses", None)
    with isolated():
        for step in range(start, total):
            losses: dict[str, float] = {}
            if step < auxiliary.joint_steps:
                losses |= _auxiliary_step(auxiliary, draws, plan, step)
            if step < plan.steps:
                losses |= _task_step(trainers, draws, plan, step)
            if losses and tell_losses:
                tell_losses(losses)
            # Not after the last step: the finished fit is saved then.
            if checkpoint and checkpoint.due and step + 1 < total:
                checkpoint.save(step + 1, _snapshot(trainers, auxiliary))
            if progress:
                progress("training", step + 1, total)
    for trainer in trainers:
        trainer.network.eval()


def _auxiliary_step(auxiliary: AuxiliaryModel, draws: Draws, plan: Plan, step: int) -> Mapping[str, float]:
    turn = iter(range(1, 1 << 20))
    torch.manual_seed(derive(plan.seed, "companion", step))
    batch = draws.draw(step, both=True)
    # Further batches of the same step are those of members below 0, which no committee has.
    return auxiliary.train_step(batch, lambda: draws.draw(step, member=-next(turn), both=True))


def _task_step(trainers: Sequence[Trainer], draws: Draws, plan: Plan, step: int) -> dict[str, float]:
    """Takes the task models' steps; returns the loss of the last one where it was looked at."""
    seen: dict[str, float] = {}
    for member, trainer in enumerate(trainers):
        torch.manual_seed(derive(plan.seed, "task", member, step))
        batch = draws.draw(step, member=member)
        loss = trainer.training_step(batch.x_l, batch.y_l, step)
        if step % 50 == 0 or step + 1 == plan.steps:  # looking at a loss waits for the device
            seen["task"] = _checked(loss.item(), step, plan)
    return seen


def _checked(loss: float, step: int, plan: Plan) -> float:
    if not math.isfinite(loss) or loss > EXPLODED:
        raise TrainingError(
            f"the task model's loss is {loss:.4g} after {step + 1} steps: it diverged at learning rate "
            f"{plan.learning_rate:g}; set training.learning_rate lower"
        )
    return loss


def _snapshot(trainers: Sequence[Trainer], auxiliary: AuxiliaryModel) -> dict[str, Tensor]:
    tensors = named("auxiliary", auxiliary.state())
    for member, trainer in enumerate(trainers):
        tensors |= named(f"member{member}", trainer.state())
    return tensors


def _resume(trainers: Sequence[Trainer], auxiliary: AuxiliaryModel, checkpoint: Checkpoint | None) -> int:
    step, tensors = checkpoint.load() if checkpoint else (0, {})
    if step:
        auxiliary.load_state(under("auxiliary", tensors))
        for member, trainer in enumerate(trainers):
            trainer.load_state(under(f"member{member}", tensors))
    return step
