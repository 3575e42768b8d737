"""The task model as strategies see it: probabilities, posterior samples and features, always in eval mode."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

import torch
from torch import Tensor

from pickwell.acquisition.streaming import images_a_chunk, in_blocks
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
    What it says of an image depends on no other one, bit by bit: networks see blocks of one shape, as they round
    differently with the size of a batch. Dense ones take images of any size, one by one, and one of more than `pixels`
    in tiles that change nothing.
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
            features = [network.pooled(maps) for maps in self._maps(network, images)]
        return torch.cat(features)[: len(images)].float()

    @torch.inference_mode()
    def _member(self, number: int, images: Tensor) -> Tensor:
        network = self.members[number]
        return self._predictions(network, self._maps(network, images), images)

    @torch.inference_mode()
    def _passes(self, network: Network, images: Tensor, n: int) -> Iterator[Tensor]:
        with self.devices.autocast():
            maps = [*self._maps(network, images)]  # the trunk drops nothing: all passes share it
        for number in range(n):
            with one_pass(network, self.seed, number):
                predictions = self._predictions(network, maps, images)
            yield predictions

    def _predictions(self, network: Network, maps: Iterable[Tensor], images: Tensor) -> Tensor:
        with self.devices.autocast():
            logits = [network.logits(some, images.shape[-2:]) for some in maps]
        # In float32: of three digits many probabilities would be equal.
        return self.readout(torch.cat(logits)[: len(images)].float())

    def _maps(self, network: Network, images: Tensor) -> Iterator[Tensor]:
        """The last maps of block after block; those of the last one are of more images than there are."""
        if network.per_pixel:
            return (trunk(network, image, self.pixels) for image in images.split(1))
        # Halves of the chunks that strategies ask about: of a few images not many more are worked out.
        size = -(-images_a_chunk(images.shape[2:].numel()) // 2)
        return (network.trunk(block) for block in in_blocks(images, size))
