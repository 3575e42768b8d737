"""Torch's generators, seeded by purpose."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor

from pickwell.seeds import derive


def generator(seed: int, *purpose: object) -> torch.Generator:
    """A CPU generator seeded by `derive`."""
    return torch.Generator().manual_seed(derive(seed, *purpose))


def chance() -> dict[str, Tensor]:
    """The states of torch's default generators, by device."""
    found = {"cpu": torch.get_rng_state()}
    return found | {f"cuda{number}": state for number, state in enumerate(torch.cuda.get_rng_state_all())}


def set_chance(states: Mapping[str, Tensor]) -> None:
    """Puts back what `chance` returned."""
    torch.set_rng_state(states["cpu"])
    torch.cuda.set_rng_state_all([states[f"cuda{number}"] for number in range(torch.cuda.device_count())])


@contextmanager
def isolated() -> Iterator[None]:
    """Lets the body seed torch's default generators and puts everybody's state back at its end."""
    cuda = list(range(torch.cuda.device_count()))
    with torch.random.fork_rng(devices=cuda):
        yield
