"""What VAAL's networks look at: the images themselves, or vectors made of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from torch import Tensor

from pickwell.acquisition.patches import SIDE, learn, shrunk
from pickwell.acquisition.streaming import in_even_chunks
from pickwell.learner.stream import Stream
from pickwell.strategies.strategy import RoundView
from pickwell.strategies.vaal.vector_tables import Table, beside, chosen, embedded, standardise

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
    """The images themselves; those with masks whole, resized into squares of `side` pixels."""
    return Pools(*(stream.whole(side) for stream in (view.labelled, view.unlabelled, view.held_out)))


def vectors(view: RoundView, representation: str, device: torch.device) -> Pools[Table]:
    """`features`: what the task model makes of the images, standardised. `patches`: what is learnt from the pool.

    `both`: the two side by side, of equal variance.
    """
    if representation == "features":
        pools = _embedded(view, view.learner.embed, device)
        standardise((pools.labelled, pools.unlabelled), pools.held_out)
        return pools
    rows = view.of_pool("patches", patch_vectors)
    patches = Pools(*(chosen(rows, stream.ids(), device) for stream in (view.labelled, view.unlabelled, view.held_out)))
    if representation == "patches":
        return patches
    assert representation == "both", representation
    return _side_by_side(patches, vectors(view, "features", device))


def patch_vectors(pool: Stream, rng: torch.Generator) -> Iterator[Tensor]:
    """Patch features of a pool's images, learnt from a sample of them; scenes are resized.

    Images held out to measure on are among them: who is measured, the task model, never sees these vectors.
    """
    whole = pool.whole(SIDE)
    patches = learn(sample(whole, rng), rng)
    for _, images in in_even_chunks(whole.batches()):
        yield patches(images)


def sample(stream: Stream, rng: torch.Generator) -> Tensor:
    """At most 4,096 images of a stream, drawn without replacement, on the CPU, as small as patches are learnt from."""
    wanted = torch.zeros(len(stream), dtype=torch.bool)
    wanted[torch.randperm(len(stream), generator=rng)[:SAMPLE]] = True
    found, done = [], 0
    for _, batch in stream.batches():
        # Batch by batch: at full size so many photographs would fill the memory.
        found.append(shrunk(batch.cpu()[wanted[done : done + len(batch)]]))
        done += len(batch)
    return torch.cat(found)


def _side_by_side(patches: Pools[Table], features: Pools[Table]) -> Pools[Table]:
    """Both vectors of each item, one after the other, of equal variance."""
    # As many standardised features as there are components would have their variance: more of them weigh less each.
    weight = (patches.unlabelled.rows.shape[1] / features.unlabelled.rows.shape[1]) ** 0.5
    return Pools(
        beside(patches.labelled, features.labelled, weight),
        beside(patches.unlabelled, features.unlabelled, weight),
        beside(patches.held_out, features.held_out, weight),
    )


def _embedded(view: RoundView, embed: Callable[[Tensor], Tensor], device: torch.device) -> Pools[Table]:
    return Pools(*(embedded(stream, embed, device) for stream in (view.labelled, view.unlabelled, view.held_out)))
