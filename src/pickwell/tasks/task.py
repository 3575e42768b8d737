"""The interface of a task."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from torch import Tensor


class Targets(Protocol):
    """What is true of some images, by place: a tensor of class indices, or masks that are read when a batch wants them.

    `targets[places]` is `(B,)` or, of images of one size, `(B, H, W)`.
    """

    def __len__(self) -> int: ...

    def __getitem__(self, places: Tensor, /) -> Tensor: ...


class Task(Protocol):
    """What is to be learnt: how labels become targets, what the loss is, and how well a model does."""

    classes: tuple[str, ...]
    metric: str
    """The name of the figure shown first, a key of what `measure` returns."""

    @property
    def dense(self) -> bool:
        """Whether every pixel has a class: logits `(B, C, H, W)` in place of `(B, C)`."""
        ...

    def targets(self, values: Sequence[str]) -> Targets:
        """The stored labels as training targets, `len(values)` of them."""
        ...

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The task loss L_T, a scalar."""
        ...

    def measure(self, predictions: Iterable[tuple[Tensor, Tensor]]) -> Mapping[str, float]:
        """Figures over batches of (probabilities, targets)."""
        ...
