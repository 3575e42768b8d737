"""One fit: the task model and the strategy's networks for the labels of the moment."""

import hashlib
import json
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import torch
from torch import Tensor

from pickwell import encoders
from pickwell.config import Settings
from pickwell.data.images import to_float
from pickwell.items import Metrics
from pickwell.learner import Batch, Devices, Draws, TaskLearner
from pickwell.learner.batches import Targets
from pickwell.learner.checkpoints import Checkpoint, load_tensors, named, save_tensors, under, writing_networks
from pickwell.learner.generators import isolated
from pickwell.learner.item_stream import Stream
from pickwell.learner.logistic_regression import balanced, logistic_regression
from pickwell.learner.task_learning import Pixels, TaskLearning
from pickwell.learner.training import Plan, Trainer, steps_for, train
from pickwell.loop.feasibility import check_size
from pickwell.models.network import Network
from pickwell.models.vectors import Logistic
from pickwell.progress import Progress
from pickwell.seeds import derive
from pickwell.strategies import Strategy, settings_of

FEW = 2
"""Fits kept on disk: the newest, and the one before for `undo`."""


@dataclass(frozen=True)
class TrainingSet:
    """What a fit learns from: ascending item ids, targets of the labelled ones, and what is neither."""

    images: Pixels
    labelled: Tensor
    targets: Targets
    unlabelled: Tensor
    round: int


@dataclass(frozen=True)
class Fit:
    """A finished fit: the learner, the strategy with its networks trained, and the seconds that training took."""

    key: str
    learner: TaskLearner
    strategy: Strategy
    seconds: float


class Fitter:
    """Fits, or finds the fit already made for the same labels and settings; `encoder` tells whose vectors are seen."""

    def __init__(
        self, folder: Path, settings: Settings, learning: TaskLearning, devices: Devices, encoder: str = ""
    ) -> None:
        self.folder, self.settings, self.learning, self.devices = folder, settings, learning, devices
        self.encoder = encoder

    def fit(self, training_set: TrainingSet, strategy: Strategy, key: str, progress: Progress | None = None) -> Fit:
        """Networks trained on the training_set; a killed fit goes on from its last checkpoint and ends the same."""
        check_size(self.learning, self.settings, strategy.committee)
        seed = derive(self.settings.seed, "fit", training_set.round)
        draws = self._draws(training_set, seed, strategy)
        # Batches are functions of their step, so that looking at the first one changes nothing.
        sample = draws.draw(0, both=strategy.joint_steps > 0)
        members = [self._network(derive(seed, "member", m), sample) for m in range(strategy.committee)]
        with isolated():
            torch.manual_seed(derive(seed, "companion"))
            strategy.begin(self.devices, sample)
        # The networks are built in either case: what was saved is put into them.
        path = self.folder / f"{key}.safetensors"
        if (found := load_tensors(path)) and found[1].get("key") == key:
            _restore(members, strategy, found[0])
            seconds = float(found[1].get("seconds", 0))
        else:
            with writing_networks(self.folder):
                checkpoint = self._train(members, strategy, draws, key, progress)
                seconds = checkpoint.spent
                save_tensors(path, _finished(members, strategy), key=key, seconds=str(seconds))
                checkpoint.clear()  # only now: until the networks are written, it is all there is of them
            self._forget(path)
        passes, readout = derive(seed, "dropout"), self.learning.predictions
        return Fit(key, TaskLearner(members, self.devices, passes, readout=readout), strategy, seconds)

    def measure(self, fit: Fit, stream: Stream, targets: Targets, labels: int) -> Metrics:
        """How well the learner does on labelled images that it was not trained on; `targets` in the order of ids."""
        pairs = (
            # Ids ascend: an item's place among them is that of its target.
            (fit.learner.predict(images), targets[torch.searchsorted(stream.ids(), ids)])
            for ids, images in stream.batches()
        )
        return Metrics(self.learning.measure(pairs), measured=len(stream), labels=labels)

    def _network(self, seed: int, sample: Batch) -> Network:
        with isolated():
            torch.manual_seed(seed)
            # Vectors in place of images are of a length that no setting says.
            network = self.learning.network(self.settings, self._weights(), sample.x_l.shape[-1])
        return self.devices.setup(network)

    def _weights(self) -> Path | str | None:
        """The file that task networks begin with, None for none: the encoder's that is fine-tuned, or the user's."""
        if self.settings.training.finetune:
            return encoders.weights(self.settings.encoder).path
        return self.settings.model.weights or None

    def _draws(self, training_set: TrainingSet, seed: int, strategy: Strategy) -> Draws:
        """The batches that this fit learns from: of images, or of crops out of scenes."""
        training = self.settings.training
        return self.learning.draws(
            training_set.images,
            self.settings,
            strategy.working_size,
            labelled=training_set.labelled,
            targets=training_set.targets,
            unlabelled=training_set.unlabelled,
            size=training.batch_size,
            augmentation=training.augment,
            seed=derive(seed, "draws"),
            devices=self.devices,
            bootstrap=strategy.bootstrap,
        )

    def _train(
        self, members: list[Network], strategy: Strategy, draws: Draws, key: str, progress: Progress | None
    ) -> Checkpoint:
        """Trains; returns the checkpoint that it went on from, or would, which knows the seconds that it took."""
        training = self.settings.training
        checkpoint = Checkpoint(self.folder / "running.safetensors", key, training.checkpoint_seconds)
        solved = [network for network in members if isinstance(network, Logistic)]
        for member, network in enumerate(solved):
            self._solve(network, draws, member, committee=len(solved) > 1)
        steps = steps_for(len(draws.labelled), training.batch_size, training.epochs, training.min_steps)
        plan = Plan(
            0 if solved else steps, training.learning_rate, training.weight_decay, training.schedule, draws.seed
        )
        trainers = [Trainer(network, self.learning, plan, self.devices) for network in members if network not in solved]
        train(trainers, strategy, draws, plan, checkpoint=checkpoint, progress=progress)
        return checkpoint

    def _solve(self, network: Logistic, draws: Draws, member: int, *, committee: bool) -> None:
        """Solves a network's last layer; of a committee's, which would all be the same, each on a draw of its own."""
        training, count = self.settings.training, self.learning.outputs
        drawn = draws.sample(member) if committee else torch.arange(len(draws.labelled))
        targets = draws.targets[drawn]
        with torch.inference_mode():
            rows = network.embed(to_float(self.devices.put(draws.images.get(draws.labelled[drawn])))).cpu()
        weight = balanced(targets, count) if training.class_weight == "balanced" else None
        network.put(*logistic_regression(rows, targets, count, training.C, weight))

    def _forget(self, newest: Path) -> None:
        """Keeps the newest fits and removes the others."""
        kept = sorted(self.folder.glob("*.safetensors"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in kept[FEW:]:
            # Times can be equal: the fit just written stays in any case.
            if path != newest:
                path.unlink(missing_ok=True)

    def key(self, training_set: TrainingSet, strategy: Strategy, name: str) -> str:
        """A hash of everything that can change what a fit gives."""
        settings = self.settings.model_dump(mode="json", include={"task", "model", "seed", "training"})
        settings["training"] = self.settings.training.telling
        settings["encoder"] = self.encoder
        facts = json.dumps(
            [settings, name, settings_of(strategy), training_set.round, version("pickwell")], default=str
        )
        digest = hashlib.sha256(facts.encode())
        digest.update(training_set.labelled.numpy().tobytes())
        digest.update(self.learning.fingerprint(training_set.targets))
        digest.update(training_set.unlabelled.numpy().tobytes())
        return digest.hexdigest()[:24]


def _finished(members: list[Network], strategy: Strategy) -> dict[str, Tensor]:
    """What a finished fit leaves on the disk: the networks of members and strategy, by name."""
    tensors = named("strategy", strategy.state())
    for number, network in enumerate(members):
        tensors |= named(f"member{number}", network.state_dict())
    return tensors


def _restore(members: list[Network], strategy: Strategy, tensors: dict[str, Tensor]) -> None:
    for number, network in enumerate(members):
        network.load_state_dict(under(f"member{number}", tensors))
    strategy.load_state(under("strategy", tensors))
