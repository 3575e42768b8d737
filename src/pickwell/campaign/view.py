"""The window through which a strategy sees a campaign: streams of items in eval view."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pickwell.campaign.vectors import PoolVectors, Rows
from pickwell.data.images import Images, to_float
from pickwell.data.scenes import Scenes
from pickwell.learner import Devices, TaskLearner
from pickwell.learner.training import Progress
from pickwell.strategies import Stream

PIXELS_A_BATCH = 1 << 19
"""So many pixels are read at a time, unless one image has more."""


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

    def whole(self, side: int) -> "PoolStream":
        """The stream itself: its images are squares already."""
        return self


@dataclass(frozen=True)
class SceneStream:
    """Some items of a pool with masks, ascending by id: at native size, or squeezed into squares of `side` pixels."""

    images: Scenes
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

    def whole(self, side: int) -> "SceneStream":
        """The same items, each image squeezed whole into a square."""
        return replace(self, side=side)

    def _read(self) -> Iterator[tuple[Tensor, Tensor]]:
        if self.side is None:
            yield from self.images.batches(self.items, PIXELS_A_BATCH)
            return
        for ids in torch.split(self.items, batch_size(self.side)):
            if len(ids):
                yield ids, self.images.squeezed(ids, self.side)


def stream(
    images: Images | Scenes, items: Tensor, devices: Devices, progress: Progress | None = None
) -> PoolStream | SceneStream:
    """The items of a pool as strategies see them."""
    kind = SceneStream if isinstance(images, Scenes) else PoolStream
    return kind(images, items, devices, progress)  # type: ignore[arg-type]


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
