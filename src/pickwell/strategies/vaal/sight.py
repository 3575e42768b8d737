"""The pools as the trained pair sees them, with the monitors running."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import torch
from torch import Tensor

from pickwell.acquisition.streaming import in_chunks
from pickwell.strategies.strategy import Stream
from pickwell.strategies.vaal.monitors import LatentMonitor, report
from pickwell.strategies.vaal.pair import Pair, Seen
from pickwell.strategies.vaal.representations import Pools

VALUES_PER_CHUNK = 3 * 2**22
"""How many input numbers go through the encoder at once: 256 small images, 8 of 688 pixels."""
LARGEST_CHUNK = 256
JUDGED = 4096
"""About how many labelled images D is judged on."""


class Sight:
    """Looks at the pools chunk by chunk."""

    def __init__(self, pair: Pair, pools: Pools[Stream]) -> None:
        self.pair, self.pools = pair, pools
        self._see = pair.eyes()
        self._latents: LatentMonitor | None = None
        self._logits: list[Tensor] = []

    def unlabelled(self) -> Iterator[tuple[Tensor, Seen]]:
        """Ids and what is seen of them; feeds the monitors, so it is to be read once and whole."""
        for ids, seen in self.look(self.pools.unlabelled):
            if self._latents is None:
                self._latents = LatentMonitor(seen.mu.shape[1])
            self._latents.update(seen)
            self._logits.append(seen.logits.cpu())
            yield ids, seen

    def labelled(self) -> Iterator[tuple[Tensor, Seen]]:
        """Ids and what is seen of them."""
        return self.look(self.pools.labelled)

    def look(self, stream: Stream, *, every: int = 1) -> Iterator[tuple[Tensor, Seen]]:
        """Ids and what is seen of a stream, or of every so-manieth chunk of it."""
        batches = iter(stream.batches())
        first = next(batches, None)
        if first is None:
            return
        size = max(1, min(LARGEST_CHUNK, VALUES_PER_CHUNK // first[1][0].numel()))
        for ids, inputs in islice(in_chunks(_again(first, batches), size), None, None, every):
            yield ids, self._see(inputs)

    def report(self) -> dict[str, Any]:
        """The monitors' numbers and warnings, once the unlabelled pool has been read."""
        assert self._latents is not None, "the unlabelled pool has not been read"
        labelled, held_out = self._judged(self.pools.labelled), self._judged(self.pools.held_out)
        return report(self._latents, labelled, torch.cat(self._logits), held_out)

    def _judged(self, stream: Stream) -> Tensor:
        every = -(-len(stream) // JUDGED) or 1
        return torch.cat([torch.empty(0), *(seen.logits.cpu() for _, seen in self.look(stream, every=every))])


def _again(first: tuple[Tensor, Tensor], rest: Iterator[tuple[Tensor, Tensor]]) -> Iterator[tuple[Tensor, Tensor]]:
    yield first
    yield from rest
