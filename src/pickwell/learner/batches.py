"""The batches that Algorithm 1 draws: each a pure function of its step, so that a killed fit can go on."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Protocol

import torch
from torch import Tensor

from pickwell.data.augment import augment
from pickwell.data.images import to_float
from pickwell.learner.devices import Devices
from pickwell.learner.generators import generator
from pickwell.seeds import derive


@dataclass(frozen=True, slots=True)
class Batch:
    """Labelled images, their labels, and unlabelled images: `(B, 3, H, W)` float32 in [0, 1], in the train view.

    `y_l` is int64 `(B,)`, for masks `(B, H, W)`. Without an auxiliary model `x_u` is empty. For masks the task model is
    shown crops, an auxiliary model whole images resized into squares.
    """

    x_l: Tensor
    y_l: Tensor
    x_u: Tensor


class Targets(Protocol):
    """What is true of some images, by place: a tensor of class indices, or masks that are read when a batch wants them.

    `targets[places]` is `(B,)` or, of images of one size, `(B, H, W)`.
    """

    def __len__(self) -> int: ...

    def __getitem__(self, places: Tensor, /) -> Tensor: ...


class ImageSource(Protocol):
    """Where pixels come from."""

    def get(self, ids: Tensor) -> Tensor:
        """Images `(B, 3, H, W)`, uint8, of the items `(B,)`."""
        ...


class Shuffle:
    """An endless row of random orders of `n` places; where one ends, the next begins."""

    def __init__(self, n: int, seed: int) -> None:
        self.n, self.seed = n, seed
        # Two, because a batch may reach from one order into the next.
        self._order = lru_cache(maxsize=2)(self._permutation)

    def _permutation(self, epoch: int) -> Tensor:
        return torch.randperm(self.n, generator=generator(self.seed, "epoch", epoch))

    def take(self, step: int, size: int) -> Tensor:
        """The places `(size,)` of batch number `step`.

        >>> shuffle = Shuffle(3, seed=0)
        >>> [sorted(epoch.tolist()) for epoch in torch.cat([shuffle.take(step, 2) for step in range(3)]).split(3)]
        [[0, 1, 2], [0, 1, 2]]
        """
        places, start = [], step * size
        while size:
            epoch, offset = divmod(start, self.n)
            part = self._order(epoch)[offset : offset + size]
            places.append(part)
            start, size = start + len(part), size - len(part)
        return torch.cat(places)


@dataclass(frozen=True)
class Draws:
    """Draws batches of `size` labelled and, if `unlabelled` holds any, `size` unlabelled images."""

    images: ImageSource
    labelled: Tensor
    targets: Targets
    unlabelled: Tensor
    size: int
    augmentation: str
    seed: int
    devices: Devices
    bootstrap: bool = False
    """Whether a committee's members each learn from their own draw, with replacement, of the labelled images."""

    @cached_property
    def _orders(self) -> Callable[[str, int, int], Shuffle]:
        """The order of a pool of `n` for a committee's member, kept as long as these draws."""
        return lru_cache(maxsize=64)(lambda pool, n, member: Shuffle(n, derive(self.seed, pool, member)))

    def sample(self, member: int) -> Tensor:
        """The places of labelled images that a member of a bootstrapped committee learns from, as many as there are."""
        return self._samples(member)

    @cached_property
    def _samples(self) -> Callable[[int], Tensor]:
        """The places that a committee's member draws with replacement."""
        n = len(self.labelled)
        return lru_cache(maxsize=64)(
            lambda member: torch.randint(n, (n,), generator=generator(self.seed, "bootstrap", member))
        )

    def draw(self, step: int, *, member: int = 0, both: bool = False) -> Batch:
        """Batch number `step` of a committee's `member`; with `both`, an auxiliary model's: unlabelled images too."""
        labelled = self._orders("labelled", len(self.labelled), member).take(step, self.size)
        # The members are to differ; an auxiliary model is one, and learns from all labels.
        if self.bootstrap and not both:
            labelled = self.sample(member)[labelled]
        x_l, y_l = self._labelled(labelled, step, member, both)
        if not both or not len(self.unlabelled):
            return Batch(x_l, y_l, x_l[:0])
        unlabelled = self._orders("unlabelled", len(self.unlabelled), member).take(step, self.size)
        return Batch(x_l, y_l, self._unlabelled(self.unlabelled[unlabelled], step, member))

    def _labelled(self, places: Tensor, step: int, member: int, both: bool) -> tuple[Tensor, Tensor]:
        x_l = self._view(self.labelled[places], step, "labelled", member)
        return x_l, self.devices.put(self.targets[places])

    def _unlabelled(self, ids: Tensor, step: int, member: int) -> Tensor:
        return self._view(ids, step, "unlabelled", member)

    def _view(self, ids: Tensor, step: int, pool: str, member: int) -> Tensor:
        images = to_float(self.devices.put(self.images.get(ids)))
        return augment(self.augmentation, images, generator(self.seed, "view", pool, member, step))
