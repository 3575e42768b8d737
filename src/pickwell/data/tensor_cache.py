"""Images and masks kept in memory, side by side."""

from collections.abc import Hashable
from typing import Generic, TypeVar

import torch
from torch import Tensor

BLOCK = 64 << 20

Key = TypeVar("Key", bound=Hashable)


class TensorCache(Generic[Key]):
    """Byte tensors of any shapes by key, one after the other in blocks of memory of their own.

    Kept one by one, between feature maps that come and go, they would leave holes that the allocator cannot fill: on
    CamVid's scenes a process grew by a gigabyte. Blocks are larger than whatever the C library takes from its heap
    (32 MiB at most), and a page of them is taken when it is first written to.
    """

    def __init__(self) -> None:
        self._kept: dict[Key, Tensor] = {}
        self._rest = torch.empty(0, dtype=torch.uint8)

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, key: Key) -> bool:
        return key in self._kept

    def __getitem__(self, key: Key) -> Tensor:
        """The tensor kept under the key; it must not be written to."""
        return self._kept[key]

    def put(self, key: Key, values: Tensor) -> Tensor:
        """Keeps a copy of `values`, uint8 of any shape, and returns it."""
        count = values.numel()
        if count > len(self._rest):
            self._rest = torch.empty(max(BLOCK, count), dtype=torch.uint8)
        place, self._rest = self._rest[:count].view(values.shape), self._rest[count:]
        self._kept[key] = place.copy_(values)
        return place
