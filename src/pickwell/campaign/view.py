"""The window through which a strategy sees a campaign: streams of items in eval view."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from pickwell.data.images import Images, to_float
from pickwell.learner import Devices, TaskLearner
from pickwell.learner.training import Progress

PIXELS_A_BATCH = 1 << 19


def batch_size(image_size: int) -> int:
    """How many images fit well into one forward pass: about half a million pixels, at most 512 images."""
    return max(8, min(512, PIXELS_A_BATCH // image_size**2))


@dataclass(frozen=True)
class PoolStream:
    """Some items of the pool, ascending by id."""

    images: Images
    items: Tensor
    devices: Devices
    progress: Progress | None = None

    def __len__(self) -> int:
        return len(self.items)

    def ids(self) -> Tensor:
        """The ids, int64 `(N,)`."""
        return self.items

    def batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Ids and images, in order of id, in eval view; the next batch is decoded meanwhile."""
        done = 0
        for ids, pixels in self.images.batches(self.items, batch_size(self.images.size)):
            yield ids, to_float(self.devices.put(pixels))
            done += len(ids)
            if self.progress:
                self.progress("scoring", done, len(self.items))


@dataclass(frozen=True)
class PoolView:
    """A RoundView over the campaign's pool."""

    learner: TaskLearner
    rng: torch.Generator
    unlabelled: PoolStream
    labelled: PoolStream
    held_out: PoolStream
    pending: PoolStream
