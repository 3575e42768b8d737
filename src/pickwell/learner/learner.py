"""The task model as strategies see it: probabilities, posterior samples and features, always in eval mode."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import torch
from torch import Tensor, nn

from pickwell.errors import SettingsError
from pickwell.learner.devices import Devices
from pickwell.models.network import Network


class Learner(Protocol):
    """What a strategy may ask of the task model; images `(B, 3, H, W)`, float32 in [0, 1]."""

    def predict(self, images: Tensor) -> Tensor:
        """Probabilities `(B, C, *spatial)`, float32."""
        ...

    def sample(self, images: Tensor, n: int) -> Iterator[Tensor]:
        """`n` posterior samples `(B, C, *spatial)`, one at a time: committee members, or dropout passes."""
        ...

    def embed(self, images: Tensor) -> Tensor:
        """Penultimate features `(B, D)`, float32."""
        ...


class TaskLearner:
    """A committee of one or more task models."""

    def __init__(self, members: Sequence[Network], devices: Devices) -> None:
        self.members = tuple(members)
        self.devices = devices

    def predict(self, images: Tensor) -> Tensor:
        """The members' mean probabilities `(B, C, *spatial)`."""
        total = self._probabilities(self.members[0], images)
        for member in self.members[1:]:
            total = total + self._probabilities(member, images)
        return total / len(self.members)

    def sample(self, images: Tensor, n: int) -> Iterator[Tensor]:
        """`n` samples: the members in turn if there are several, else passes with dropout on."""
        if len(self.members) > 1:
            for number in range(n):
                yield self._probabilities(self.members[number % len(self.members)], images)
            return
        (network,) = self.members
        if not network.has_dropout:
            raise SettingsError(
                f"{type(network).__name__} has no dropout layer, so it cannot give posterior samples; "
                "choose a strategy with a committee (ensemble, qbc) or a model with dropout (small_cnn, vgg16_bn)"
            )
        for _ in range(n):
            with dropout_on(network):
                yield self._probabilities(network, images)

    @torch.inference_mode()
    def embed(self, images: Tensor) -> Tensor:
        """The first member's penultimate features."""
        network = self.members[0].eval()
        with self.devices.autocast():
            return network.embed(images).float()

    @torch.inference_mode()
    def _probabilities(self, network: Network, images: Tensor) -> Tensor:
        if not any(module.training for module in network.modules() if isinstance(module, nn.Dropout)):
            network.eval()
        with self.devices.autocast():
            logits = network(images)
        return logits.float().softmax(dim=1)


@contextmanager
def dropout_on(network: nn.Module) -> Iterator[None]:
    """Everything in eval mode but the dropout layers; all in eval mode afterwards."""
    network.eval()
    for module in network.modules():
        if isinstance(module, (nn.Dropout, nn.Dropout2d)):
            module.train()
    try:
        yield
    finally:
        network.eval()
