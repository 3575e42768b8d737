"""The window through which a strategy sees a campaign: streams of items in eval view."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pickwell.data.images import Images, to_float
from pickwell.data.scenes import Scenes
from pickwell.learner import Devices, TaskLearner
from pickwell.loop.pool_vectors import PoolVectors, Rows
from pickwell.progress import Progress
from pickwell.strategies import Stream

PIXELS_A_BATCH = 1 << 19
"""So many pixels are read at a time, unless one image has more."""


def batch_size(image_size: int) -> int:
    """How many images fit well into one forward pass: about half a million pixels, at most 512 images."""
    return max(8, min(512, PIXELS_A_BATCH // image_size**2))


@dataclass(frozen=True)
class PoolStream:
    """Some items of the pool, ascending by id: scenes at native size, or resized into squares of `side` pixels."""

    images: Images | Scenes
    items: Tensor
    devices: Devices
    progress: Progress | None = None
    side: int | None = None

    def __len__(self) -> int:
        return len(self.items)

    def ids(self) -> Tensor:
        """The ids, int64 `(N,)`."""
        return self.items

    def batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Ids and equally large images, in order of id, in eval view."""
        done = 0
        for ids, pixels in self._read():
            yield ids, to_float(self.devices.put(pixels))
            done += len(ids)
            if self.progress:
                self.progress("scoring", done, len(self.items))

    def whole(self, side: int) -> "PoolStream":
        """The same items, each scene resized whole into a square; images of classes are squares already."""
        return replace(self, side=side) if isinstance(self.images, Scenes) else self

    def _read(self) -> Iterator[tuple[Tensor, Tensor]]:
        images = self.images
        if not isinstance(images, Scenes):
            return images.batches(self.items, batch_size(images.size))
        if (side := self.side) is None:
            return images.batches(self.items, PIXELS_A_BATCH)
        parts = (ids for ids in torch.split(self.items, batch_size(side)) if len(ids))
        return ((ids, images.resized(ids, side)) for ids in parts)


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

    def of_pool(self, name: str, make: Callable[[Stream, torch.Generator], Iterator[Tensor]]) -> Rows:
        """Vectors of the whole pool by item id; kept on disk from round to round."""
        return self.vectors.get(name, make)
