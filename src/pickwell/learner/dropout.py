"""Dropout passes as posterior samples: a pass drops the same features of every image, so it is one network."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

import torch
from torch import Tensor, nn

from pickwell.learner.generators import generator
from pickwell.models.network import DROPOUTS


@contextmanager
def one_pass(network: nn.Module, seed: int, number: int) -> Iterator[None]:
    """Lets the network's dropout layers drop what (seed, pass number) says, everything else staying in eval mode.

    One mask a pass, not one an image (Gal's "consistent" dropout): what an image's samples are thus depends neither
    on the batch it is in nor on chance.
    """
    layers = [module for module in network.modules() if isinstance(module, DROPOUTS) and module.p > 0]
    hooks = [layer.register_forward_hook(_dropper(layer.p, seed, number, at)) for at, layer in enumerate(layers)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _dropper(
    rate: float, seed: int, number: int, layer: int
) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], Tensor]:
    """A forward hook that drops from the output of a resting dropout layer."""

    @cache
    def mask(shape: torch.Size) -> Tensor:
        # Drawn on the CPU: the same mask on every device.
        drawn = torch.rand(shape, generator=generator(seed, "dropout", number, layer))
        return (drawn >= rate) / (1 - rate)

    def drop(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        return output * mask(output.shape[1:]).to(output)

    return drop
