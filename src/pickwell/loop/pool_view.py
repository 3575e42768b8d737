"""The window through which a strategy sees a campaign: streams of items in eval view."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pickwell.data.images import to_float
from pickwell.learner import Devices, TaskLearner
from pickwell.learner.checkpoints import Checkpoint
from pickwell.learner.item_stream import Stream
from pickwell.learner.task_learning import Pixels
from pickwell.loop.pool_vectors import PoolVectors, Rows
from pickwell.progress import Progress


@dataclass(frozen=True)
class PoolStream:
    """Some items of the pool, ascending by id."""

    images: Pixels
    items: Tensor
    devices: Devices
    progress: Progress | None = None

    def __len__(self) -> int:
        return len(self.items)

    def ids(self) -> Tensor:
        """The ids, int64 `(N,)`."""
        return self.items

    def batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Ids and equally large images, in order of id, in eval view."""
        done = 0
        for ids, pixels in self.images.chunks(self.items):
            yield ids, to_float(self.devices.put(pixels))
            done += len(ids)
            if self.progress:
                self.progress("scoring", done, len(self.items))

    def some(self, places: Tensor) -> "PoolStream":
        """The items at these places."""
        return replace(self, items=self.items[places])

    def whole(self, side: int) -> "PoolStream":
        """The same items as a strategy's own networks see them."""
        return replace(self, images=self.images.whole(side))


@dataclass(frozen=True)
class PoolView:
    """A RoundView over the campaign's pool."""

    learner: TaskLearner
    rng: torch.Generator
    unlabelled: Stream
    labelled: Stream
    held_out: Stream
    pending: Stream
    vectors: PoolVectors
    checkpoint: Checkpoint | None

    def of_pool(self, name: str, make: Callable[[Stream, torch.Generator], Iterator[Tensor]]) -> Rows:
        """Vectors of the whole pool by item id; kept on disk from round to round."""
        return self.vectors.get(name, make)
