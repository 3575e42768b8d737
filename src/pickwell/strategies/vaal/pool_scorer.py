"""The pools as the trained pair sees them, with the monitors running."""

from collections.abc import Iterator
from functools import cached_property
from itertools import chain, islice
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pickwell.acquisition.features import allocate
from pickwell.acquisition.projection import Projection, plane, spread
from pickwell.acquisition.streaming import in_chunks, refuse_nan
from pickwell.learner.stream import Stream
from pickwell.strategies.vaal.monitors import LatentMonitor, report
from pickwell.strategies.vaal.pair import Pair, Seen
from pickwell.strategies.vaal.representations import Pools
from pickwell.strategies.vaal.vector_tables import Rows

VALUES_PER_CHUNK = 3 * 2**22
"""How many input numbers go through the encoder at once: 256 small images, 8 of 688 pixels."""
LARGEST_CHUNK = 256
JUDGED = 4096
"""About how many labelled images D is judged on."""
MAPPED = 50_000
"""Items on the map at most."""


class Sight:
    """Looks at the pools chunk by chunk."""

    def __init__(self, pair: Pair, pools: Pools[Stream]) -> None:
        self.pair, self.pools = pair, pools
        self._see = pair.eyes(self._some())
        self._latents: LatentMonitor | None = None
        self._logits: list[Tensor] = []
        self.mu: Rows = np.zeros((0, 0), dtype=np.float32)
        """The latents of the unlabelled pool, once it has been read."""

    def unlabelled(self) -> Iterator[tuple[Tensor, Seen]]:
        """Ids and what is seen of them; feeds the monitors, so it is to be read once and whole."""
        done = 0
        for ids, seen in self.look(self.pools.unlabelled):
            if self._latents is None:
                self._latents = LatentMonitor(seen.mu.shape[1])
                self.mu = allocate(len(self.pools.unlabelled), seen.mu.shape[1])
            self._latents.update(seen)
            self.mu[done : done + len(ids)] = seen.mu.cpu().numpy()
            done += len(ids)
            self._logits.append(seen.logits.cpu())
            yield ids, seen

    def labelled(self) -> Iterator[tuple[Tensor, Seen]]:
        """Ids and what is seen of them."""
        return self.look(self.pools.labelled)

    def look(self, stream: Stream, *, every: int = 1) -> Iterator[tuple[Tensor, Seen]]:
        """Ids and what is seen of a stream, or of every n-th chunk of it."""
        for ids, inputs in islice(_chunks(stream), None, None, every):
            seen = self._see(inputs)
            refuse_nan(ids, torch.column_stack(seen), "what VAAL's networks say")
            yield ids, seen

    def report(self) -> dict[str, Any]:
        """The monitors' numbers and warnings, once the unlabelled pool has been read."""
        assert self._latents is not None, "the unlabelled pool has not been read"
        held_out = self._judged(self.pools.held_out)
        return report(self._latents, _logits(self._known), torch.cat(self._logits), _logits(held_out))

    def projection(self, picked: Tensor) -> Projection:
        """At most 50,000 items on the plane of the pool's latents: the picked ones, and others evenly by id.

        Of the labelled ones those on which D is judged.
        """
        mean, axes = plane(self.mu)
        ids = self.pools.unlabelled.ids().numpy()
        # `ids[:0]`, so that no labelled image is an array of ids as well.
        known = np.concatenate([ids[:0], *(some.cpu().numpy() for some, _ in self._known)])
        places = spread(len(ids), MAPPED - len(known), np.searchsorted(ids, picked.numpy()))
        rows = np.concatenate([self.mu[places], *(seen.mu.cpu().numpy() for _, seen in self._known)])
        scores = torch.sigmoid(-torch.cat(self._logits)[places].double()).float().numpy()
        return Projection(
            items=np.concatenate([ids[places], known]),
            points=((rows - mean) @ axes).astype(np.float32),
            scores=np.concatenate([scores, np.full(len(known), np.nan, dtype=np.float32)]),
            labelled=np.repeat([False, True], [len(places), len(known)]),
        )

    @cached_property
    def _known(self) -> list[tuple[Tensor, Seen]]:
        return self._judged(self.pools.labelled)

    def _some(self) -> Tensor:
        """The first chunk of the labelled pool, or of the other where nothing is labelled."""
        stream = self.pools.labelled if len(self.pools.labelled) else self.pools.unlabelled
        return next(_chunks(stream))[1]

    def _judged(self, stream: Stream) -> list[tuple[Tensor, Seen]]:
        every = -(-len(stream) // JUDGED) or 1
        return list(self.look(stream, every=every))


def _logits(looked: list[tuple[Tensor, Seen]]) -> Tensor:
    return torch.cat([torch.empty(0), *(seen.logits.cpu() for _, seen in looked)])


def _chunks(stream: Stream) -> Iterator[tuple[Tensor, Tensor]]:
    """Ids and inputs of a stream, in chunks that depend on an input's size alone."""
    batches = iter(stream.batches())
    first = next(batches, None)
    if first is not None:
        size = max(1, min(LARGEST_CHUNK, VALUES_PER_CHUNK // first[1][0].numel()))
        yield from in_chunks(chain((first,), batches), size)
