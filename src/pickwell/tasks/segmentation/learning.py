"""Segmentation: one class a pixel."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from pickwell.data.tensor_cache import TensorCache
from pickwell.labels import IGNORE_INDEX, check_classes

MEMORY_LIMIT = 256 << 20
"""Bytes of masks that are kept once they are read; 1,500 of CamVid's."""

Key = TypeVar("Key", bound=Hashable)


class Masks(Generic[Key]):
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


class Segmentation:
    """One of `classes` for each pixel; targets are uint8 `(B, H, W)`, of which 255 counts nowhere.

    A label's value is the name of a mask, which `read` returns as a label map.
    """

    metric = "mean_iou"
    dense = True

    def __init__(self, classes: Sequence[str], read: Callable[[str], NDArray[np.uint8]]) -> None:
        self.classes, self.read = check_classes(classes), read

    def targets(self, values: Sequence[str]) -> Masks[str]:
        """The masks of these names; none is read yet."""
        return Masks(values, self.read)

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The mean cross-entropy of the pixels that count, of logits `(B, C, H, W)`; 0 where none does."""
        # Not torch's mean, which is NaN where a whole batch is void.
        total = functional.cross_entropy(logits, targets.long(), ignore_index=IGNORE_INDEX, reduction="sum")
        return total / (targets != IGNORE_INDEX).sum().clamp(min=1)

    def measure(self, predictions: Iterable[tuple[Tensor, Tensor]]) -> dict[str, float]:
        """`mean_iou`, `iou/<class>` and `pixel_accuracy`, from one confusion matrix of all the pixels that count.

        A class that no pixel has, nor is said to have, has no IoU and does not count in the mean.
        """
        matrix = torch.zeros(len(self.classes), len(self.classes), dtype=torch.int64)
        for probabilities, truth in predictions:
            matrix += confusion(probabilities.max(1).indices.cpu(), truth.cpu(), len(self.classes))
        if not matrix.sum():
            return {}
        right, union = matrix.diag(), matrix.sum(0) + matrix.sum(1) - matrix.diag()
        shares = {i: int(right[i]) / int(union[i]) for i in range(len(self.classes)) if union[i]}
        return {
            "mean_iou": sum(shares.values()) / len(shares),
            "pixel_accuracy": int(right.sum()) / int(matrix.sum()),
            **{f"iou/{self.classes[i]}": share for i, share in shares.items()},
        }


def confusion(guess: Tensor, truth: Tensor, classes: int) -> Tensor:
    """How many pixels of each class (rows) were said to be of each class (columns), int64 `(C, C)`; 255 is left out.

    >>> confusion(torch.tensor([0, 1, 1, 1]), torch.tensor([0, 0, 1, 255]), 2).tolist()
    [[1, 1], [0, 1]]
    """
    counted = truth != IGNORE_INDEX
    pairs = truth[counted].long() * classes + guess[counted].long()
    return torch.bincount(pairs, minlength=classes**2).view(classes, classes)
