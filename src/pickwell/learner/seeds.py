"""Seeds that derive from (campaign seed, round, purpose), so that nothing random depends on what ran before."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor


def derive(seed: int, *purpose: object) -> int:
    """A seed in [0, 2^63) that differs for every purpose and is the same on every machine.

    >>> derive(0, "round", 1) == derive(0, "round", 1) != derive(0, "round", 2)
    True
    """
    # Kept apart by what no part holds: (1, 23) and (12, 3) are two purposes.
    text = "\x1f".join(str(part) for part in (seed, *purpose))
    # 63 bits, because databases and torch take signed numbers.
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


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
