"""The interface of a task."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from torch import Tensor


class Task(Protocol):
    """What is to be learnt: how labels become targets, what the loss is, and how well a model does."""

    classes: tuple[str, ...]
    metric: str
    """The name of the figure shown first, a key of what `measure` returns."""

    def targets(self, values: Sequence[str]) -> Tensor:
        """The stored labels as training targets, first dimension `len(values)`."""
        ...

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The task loss L_T, a scalar."""
        ...

    def measure(self, predictions: Iterable[tuple[Tensor, Tensor]]) -> Mapping[str, float]:
        """Figures over batches of (probabilities, targets)."""
        ...
