"""The task model as strategies see it: probabilities, posterior samples and features, always in eval mode."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import torch
from torch import Tensor

from pickwell.errors import SettingsError
from pickwell.learner.devices import Devices
from pickwell.learner.dropout import one_pass
from pickwell.learner.tiles import PIXELS_A_PASS, trunk
from pickwell.models.network import Network

REMEDY = (
    "choose a strategy with a committee (ensemble, qbc), or a model with dropout "
    "(small_cnn, vgg16_bn; for masks drn_d_22)"
)


def softmax(outputs: Tensor) -> Tensor:
    """Probabilities `(B, C, *spatial)` of logits."""
    return outputs.softmax(dim=1)


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
    """A committee of one or more task models; `seed` says what its dropout passes drop.

    `readout` makes predictions of outputs; probabilities unless given.
    Dense networks take images at any size, of one size a batch; about `pixels` of them go through at once, a larger
    image in tiles that change nothing.
    """

    def __init__(
        self,
        members: Sequence[Network],
        devices: Devices,
        seed: int = 0,
        pixels: int = PIXELS_A_PASS,
        readout: Callable[[Tensor], Tensor] = softmax,
    ) -> None:
        self.members = tuple(member.eval() for member in members)
        self.devices, self.seed, self.pixels, self.readout = devices, seed, pixels, readout

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
            raise SettingsError(f"{network.name} has no dropout layer, so it cannot give posterior samples; {REMEDY}")
        return self._passes(network, images, n)

    @torch.inference_mode()
    def embed(self, images: Tensor) -> Tensor:
        """The first member's penultimate features."""
        network = self.members[0]
        with self.devices.autocast():
            return network.pooled(self._trunk(network, images)).float()

    @torch.inference_mode()
    def _member(self, number: int, images: Tensor) -> Tensor:
        with self.devices.autocast():
            network = self.members[number]
            logits = network.logits(self._trunk(network, images), images.shape[-2:])
        # In float32: of three digits many probabilities would be equal.
        return self.readout(logits.float())

    @torch.inference_mode()
    def _passes(self, network: Network, images: Tensor, n: int) -> Iterator[Tensor]:
        with self.devices.autocast():
            maps = self._trunk(network, images)  # the trunk drops nothing: all passes share it
        for number in range(n):
            with one_pass(network, self.seed, number), self.devices.autocast():
                logits = network.logits(maps, images.shape[-2:])
            yield self.readout(logits.float())

    def _trunk(self, network: Network, images: Tensor) -> Tensor:
        return trunk(network, images, self.pixels) if network.per_pixel else network.trunk(images)
