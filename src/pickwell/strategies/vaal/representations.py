"""What VAAL's networks look at: the images themselves, or vectors made of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from torch import Tensor

from pickwell.acquisition.patches import SIDE, PatchFeatures, learn
from pickwell.strategies.strategy import RoundView, Stream
from pickwell.strategies.vaal.tables import ROWS, Table, beside, embedded, standardise

S_co = TypeVar("S_co", bound=Stream, covariant=True)
REPRESENTATIONS = ("pixels", "features", "patches", "both")
SAMPLE = 4096
"""How many images patch features are learnt from."""


@dataclass(frozen=True)
class Pools(Generic[S_co]):
    """The three pools as the networks look at them."""

    labelled: S_co
    unlabelled: S_co
    held_out: S_co


def images(view: RoundView, side: int) -> Pools[Stream]:
    """The images themselves; those with masks whole, squeezed into squares of `side` pixels."""
    return Pools(*(stream.whole(side) for stream in (view.labelled, view.unlabelled, view.held_out)))


def vectors(view: RoundView, representation: str, device: torch.device) -> Pools[Table]:
    """`features`: what the task model makes of the images, standardised. `patches`: what is learnt from the pool.

    `both`: the two side by side, of equal variance.
    """
    if representation == "features":
        pools = _embedded(view, view.learner.embed, device)
        standardise((pools.labelled, pools.unlabelled), pools.held_out)
        return pools
    whole = images(view, SIDE)
    some = sample((whole.labelled, whole.unlabelled), view.rng)
    patches = learn(some, view.rng)
    if representation == "patches":
        return _embedded(whole, patches, device)
    assert representation == "both", representation
    if whole.unlabelled is not view.unlabelled:
        return _side_by_side(_embedded(whole, patches, device), view, device)
    return _embedded(view, _beside(patches, view.learner.embed, some, device), device)


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


def _beside(
    patches: PatchFeatures, embed: Callable[[Tensor], Tensor], some: Tensor, device: torch.device
) -> Callable[[Tensor], Tensor]:
    """Patch features and the task model's, the latter standardised by those of `some` images."""
    known = torch.cat([embed(part.to(device)) for part in some.tensor_split(-(-len(some) // ROWS))])
    mean, deviation = known.mean(0), known.std(0)
    # As many standardised features as there are components would have their variance: more of them weigh less each.
    scale = (patches.components.shape[1] / known.shape[1]) ** 0.5 / deviation.where(deviation > 1e-6, torch.inf)
    return lambda images: torch.cat((patches(images), (embed(images) - mean) * scale), dim=1)


def _side_by_side(patches: Pools[Table], view: RoundView, device: torch.device) -> Pools[Table]:
    """Patch features of squeezed scenes, and the task model's features of the scenes at their native size."""
    features = vectors(view, "features", device)
    weight = (patches.unlabelled.rows.shape[1] / features.unlabelled.rows.shape[1]) ** 0.5
    return Pools(
        beside(patches.labelled, features.labelled, weight),
        beside(patches.unlabelled, features.unlabelled, weight),
        beside(patches.held_out, features.held_out, weight),
    )


def _embedded(view: RoundView | Pools[Stream], embed: Callable[[Tensor], Tensor], device: torch.device) -> Pools[Table]:
    return Pools(*(embedded(stream, embed, device) for stream in (view.labelled, view.unlabelled, view.held_out)))
