"""Items of a pool as networks see them."""

from collections.abc import Iterator
from typing import Protocol

from torch import Tensor


class Stream(Protocol):
    """Some of the pool's items, in ascending order of id, as a network in eval mode should see them."""

    def __len__(self) -> int: ...

    def ids(self) -> Tensor:
        """The ids, int64 `(N,)`, without touching an image."""
        ...

    def batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Ids `(B,)` and images `(B, 3, H, W)`, float32 in [0, 1], on the learner's device.

        For classes all images are of one size; for masks those of a batch are.
        """
        ...

    def some(self, places: Tensor) -> "Stream":
        """The items at ascending places `(P,)` among these."""
        ...

    def whole(self, side: int) -> "Stream":
        """The same items as a strategy's own networks see them: for masks resized whole into squares of `side` pixels.

        For classes the stream itself.
        """
        ...
