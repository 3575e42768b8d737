"""The task model as strategies see it: probabilities, posterior samples and features, always in eval mode."""

from collections.abc import Iterator, Sequence
from typing import Protocol

import torch
from torch import Tensor

from pickwell.errors import SettingsError
from pickwell.learner.devices import Devices
from pickwell.learner.dropout import one_pass
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
    """A committee of one or more task models; `seed` says what its dropout passes drop."""

    def __init__(self, members: Sequence[Network], devices: Devices, seed: int = 0) -> None:
        self.members = tuple(member.eval() for member in members)
        self.devices, self.seed = devices, seed

    @torch.inference_mode()
    def predict(self, images: Tensor) -> Tensor:
        """The members' mean probabilities `(B, C, *spatial)`."""
        total = self._member(0, images)
        for number in range(1, len(self.members)):
            total += self._member(number, images)
        return total / len(self.members)

    def sample(self, images: Tensor, n: int) -> Iterator[Tensor]:
        """`n` samples: the members in turn if there are several, else passes with dropout on."""
        if len(self.members) > 1:
            return (self._member(number % len(self.members), images) for number in range(n))
        (network,) = self.members
        if not network.has_dropout:
            raise SettingsError(
                f"{network.name} has no dropout layer, so it cannot give posterior samples; choose a strategy with a "
                "committee (ensemble, qbc), or a model with dropout (small_cnn, vgg16_bn)"
            )
        return self._passes(network, images, n)

    @torch.inference_mode()
    def embed(self, images: Tensor) -> Tensor:
        """The first member's penultimate features."""
        with self.devices.autocast():
            return self.members[0].embed(images).float()

    @torch.inference_mode()
    def _member(self, number: int, images: Tensor) -> Tensor:
        with self.devices.autocast():
            logits: Tensor = self.members[number](images)
        return logits.float().softmax(dim=1)

    @torch.inference_mode()
    def _passes(self, network: Network, images: Tensor, n: int) -> Iterator[Tensor]:
        with self.devices.autocast():
            maps = network.trunk(images)  # the trunk drops nothing: all passes share it
        for number in range(n):
            with one_pass(network, self.seed, number), self.devices.autocast():
                logits = network.logits(maps, images.shape[-2:])
            yield logits.float().softmax(dim=1)
