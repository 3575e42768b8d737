"""Label maps as training targets: read when a batch wants them."""

from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pickwell.data.tensor_cache import TensorCache

MEMORY_LIMIT = 256 << 20
"""Bytes of masks that are kept once they are read; 1,500 of CamVid's."""

Key = TypeVar("Key", bound=Hashable)


class MaskTargets(Generic[Key]):
    """Label maps uint8 `(H, W)` of any size, 255 = ignore, each read by its key when a batch wants it.

    The same masks are wanted every epoch: those read first stay in memory, as bytes, up to `memory_limit`.
    """

    def __init__(
        self, keys: Sequence[Key], read: Callable[[Key], NDArray[np.uint8]], memory_limit: int = MEMORY_LIMIT
    ) -> None:
        self.keys, self.room = tuple(keys), memory_limit
        self._read = read
        self._kept = TensorCache[Key]()

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, places: Tensor, /) -> Tensor:
        """The masks `(B, H, W)` of images of one size."""
        return torch.stack(self.at(places))

    def at(self, places: Tensor) -> list[Tensor]:
        """The masks `(H, W)` of images of any sizes."""
        return [self._mask(self.keys[place]) for place in places.tolist()]

    def _mask(self, key: Key) -> Tensor:
        if key in self._kept:
            return self._kept[key]
        found = torch.from_numpy(np.require(self._read(key), np.uint8, ["C", "W"]))
        # The first ones stay: each epoch has an order of its own, in which the newest would be pushed out unused.
        if found.numel() > self.room:
            return found
        self.room -= found.numel()
        return self._kept.put(key, found)
