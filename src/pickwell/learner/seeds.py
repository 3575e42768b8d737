"""Torch's generators, seeded by purpose."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from pickwell.seeds import derive


def generator(seed: int, *purpose: object) -> torch.Generator:
    """A CPU generator seeded by `derive`."""
    return torch.Generator().manual_seed(derive(seed, *purpose))


@contextmanager
def isolated() -> Iterator[None]:
    """Lets the body seed torch's default generators and puts everybody's state back at its end."""
    cuda = list(range(torch.cuda.device_count()))
    with torch.random.fork_rng(devices=cuda):
        yield
