"""What VAAL's networks look at: the images themselves, or vectors made of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import torch
from torch import Tensor

from pickwell.acquisition.patch_features import SIDE, learn, shrunk
from pickwell.acquisition.streaming import in_even_chunks
from pickwell.learner.item_stream import Stream
from pickwell.strategies.strategy import RoundView
from pickwell.strategies.vaal.vector_tables import Table, beside, chosen, embedded, standardise

S_co = TypeVar("S_co", bound=Stream, covariant=True)
SAMPLE = 4096
"""How many images patch features are learnt from."""


@dataclass(frozen=True)
class Pools(Generic[S_co]):
    """The three pools as the networks look at them."""

    labelled: S_co
    unlabelled: S_co
    held_out: S_co


def features(view: RoundView, device: torch.device) -> Pools[Table]:
    """What the task model makes of the images, standardised."""
    streams = (view.labelled, view.unlabelled, view.held_out)
    pools = Pools(*(embedded(stream, view.learner.embed, device) for stream in streams))
    standardise((pools.labelled, pools.unlabelled), pools.held_out)
    return pools


def patches(view: RoundView, device: torch.device) -> Pools[Table]:
    """What is learnt from the pool's own patches."""
    rows = view.of_pool("patches", patch_vectors)
    return Pools(*(chosen(rows, stream.ids(), device) for stream in (view.labelled, view.unlabelled, view.held_out)))


def both(view: RoundView, device: torch.device) -> Pools[Table]:
    """Patches and features of each item, one after the other, of equal variance."""
    left, right = patches(view, device), features(view, device)
    # As many standardised features as there are components would have their variance: more of them weigh less each.
    weight = (left.unlabelled.rows.shape[1] / right.unlabelled.rows.shape[1]) ** 0.5
    return Pools(
        beside(left.labelled, right.labelled, weight),
        beside(left.unlabelled, right.unlabelled, weight),
        beside(left.held_out, right.held_out, weight),
    )


Vectors = Callable[[RoundView, torch.device], Pools[Table]]
VECTORS: Final[dict[str, Vectors]] = {"features": features, "patches": patches, "both": both}


def patch_vectors(pool: Stream, rng: torch.Generator) -> Iterator[Tensor]:
    """Patch features of a pool's images, learnt from a sample of them; scenes are resized.

    Images held out to measure on are among them: who is measured, the task model, never sees these vectors.
    """
    whole = pool.whole(SIDE)
    encode = learn(sample(whole, rng), rng)
    # Made small first: a chunk then fills blocks of one size, and photographs never fill the memory.
    for _, images in in_even_chunks((ids, shrunk(images)) for ids, images in whole.batches()):
        yield encode(images)


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
