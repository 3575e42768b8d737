"""The pools encoded by the trained pair, with the monitors running."""

from collections.abc import Iterator
from functools import cached_property
from itertools import chain, islice
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pickwell.acquisition.features import allocate
from pickwell.acquisition.pca import plane
from pickwell.acquisition.projection import Projection, spread
from pickwell.acquisition.streaming import in_blocks, in_chunks, refuse_nan
from pickwell.learner import Stream
from pickwell.strategies.vaal.monitors import LatentMonitor, report
from pickwell.strategies.vaal.representations import Pools
from pickwell.strategies.vaal.vae_and_discriminator import Encoded, Pair
from pickwell.strategies.vaal.vector_tables import Rows

VALUES_PER_CHUNK = 3 * 2**20
"""How many input numbers go through the encoder at once: 256 small images, 64 of 128 pixels."""
LARGEST_CHUNK = 256
JUDGED = 4096
"""About how many labelled images D is judged on."""
MAPPED = 50_000
"""Items on the map at most."""


class PoolScorer:
    """Encodes the pools chunk by chunk."""

    def __init__(self, pair: Pair, pools: Pools[Stream]) -> None:
        self.pair, self.pools = pair, pools
        self._encode = pair.encoding()
        self._latents = LatentMonitor()
        self._logits: list[Tensor] = []
        self.mu: Rows = np.zeros((0, 0), dtype=np.float32)
        """The latents of the unlabelled pool, once it has been read."""

    def unlabelled(self) -> Iterator[tuple[Tensor, Encoded]]:
        """Ids, and the images encoded; feeds the monitors, so it is to be read once and whole."""
        done = 0
        for ids, encoded in self.encoded(self.pools.unlabelled):
            if not done:
                self.mu = allocate(len(self.pools.unlabelled), encoded.mu.shape[1])
            self._latents.update(encoded)
            self.mu[done : done + len(ids)] = encoded.mu.cpu().numpy()
            done += len(ids)
            self._logits.append(encoded.logits.cpu())
            yield ids, encoded

    def labelled(self) -> Iterator[tuple[Tensor, Encoded]]:
        """Ids, and the images encoded."""
        return self.encoded(self.pools.labelled)

    def encoded(self, stream: Stream, *, every: int = 1) -> Iterator[tuple[Tensor, Encoded]]:
        """Ids and encoded inputs of a stream, or of every n-th chunk of it.

        An input's do not depend on others, bit by bit: chunks are of one size, and the last one is filled up.
        """
        batches = iter(stream.batches())
        first = next(batches, None)
        if first is None:
            return
        size = max(1, min(LARGEST_CHUNK, VALUES_PER_CHUNK // first[1][0].numel()))
        for ids, inputs in islice(in_chunks(chain((first,), batches), size), None, None, every):
            (block,) = in_blocks(inputs, size)
            encoded = Encoded(*(part[: len(ids)] for part in self._encode(block)))
            refuse_nan(ids, torch.column_stack(encoded), "what VAAL's networks say")
            yield ids, encoded

    def report(self) -> dict[str, Any]:
        """The monitors' numbers and warnings, once the unlabelled pool has been read."""
        assert self._logits, "the unlabelled pool has not been read"
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
        rows = np.concatenate([self.mu[places], *(encoded.mu.cpu().numpy() for _, encoded in self._known)])
        scores = torch.sigmoid(-torch.cat(self._logits)[places].double()).float().numpy()
        return Projection(
            items=np.concatenate([ids[places], known]),
            points=((rows - mean) @ axes).astype(np.float32),
            scores=np.concatenate([scores, np.full(len(known), np.nan, dtype=np.float32)]),
            labelled=np.repeat([False, True], [len(places), len(known)]),
        )

    @cached_property
    def _known(self) -> list[tuple[Tensor, Encoded]]:
        return self._judged(self.pools.labelled)

    def _judged(self, stream: Stream) -> list[tuple[Tensor, Encoded]]:
        every = -(-len(stream) // JUDGED) or 1
        return list(self.encoded(stream, every=every))


def _logits(pool: list[tuple[Tensor, Encoded]]) -> Tensor:
    return torch.cat([torch.empty(0), *(encoded.logits.cpu() for _, encoded in pool)])
