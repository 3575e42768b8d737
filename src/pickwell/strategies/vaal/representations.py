"""What VAAL's networks look at: the images themselves, or vectors made of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from torch import Tensor

from pickwell.acquisition.patches import learn
from pickwell.strategies.strategy import RoundView, Stream
from pickwell.strategies.vaal.tables import Table, embedded, standardise

S_co = TypeVar("S_co", bound=Stream, covariant=True)
REPRESENTATIONS = ("pixels", "features", "patches")
SAMPLE = 4096
"""How many images patch features are learnt from."""


@dataclass(frozen=True)
class Pools(Generic[S_co]):
    """The three pools as the networks look at them."""

    labelled: S_co
    unlabelled: S_co
    held_out: S_co


def images(view: RoundView) -> Pools[Stream]:
    """The images themselves."""
    return Pools(view.labelled, view.unlabelled, view.held_out)


def vectors(view: RoundView, representation: str, device: torch.device) -> Pools[Table]:
    """`features`: what the task model makes of the images, standardised. `patches`: what is learnt from the pool."""
    if representation == "features":
        pools = _embedded(view, view.learner.embed, device)
        standardise((pools.labelled, pools.unlabelled), pools.held_out)
        return pools
    assert representation == "patches", representation
    return _embedded(view, learn(sample((view.labelled, view.unlabelled), view.rng), view.rng), device)


def sample(streams: tuple[Stream, ...], rng: torch.Generator) -> Tensor:
    """At most 4,096 images of several streams, drawn without replacement, on the CPU."""
    total = sum(len(stream) for stream in streams)
    wanted = torch.zeros(total, dtype=torch.bool)
    wanted[torch.randperm(total, generator=rng)[:SAMPLE]] = True
    found, done = [], 0
    for stream in streams:
        for _, batch in stream.batches():
            chosen = wanted[done : done + len(batch)]
            found.append(batch.cpu()[chosen])
            done += len(batch)
    return torch.cat(found)


def _embedded(view: RoundView, embed: Callable[[Tensor], Tensor], device: torch.device) -> Pools[Table]:
    return Pools(*(embedded(stream, embed, device) for stream in (view.labelled, view.unlabelled, view.held_out)))
