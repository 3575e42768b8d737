"""How a number an image is learnt."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from pickwell.learner.task_learning import TaskLearning


class Learning(TaskLearning):
    """Targets are float32 `(N,)`; a network has one output, which is the number."""

    outputs = 1

    def targets(self, values: Sequence[str]) -> Tensor:
        return torch.tensor([float(value) for value in values])

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return mse_loss(outputs[:, 0], targets)

    def predictions(self, outputs: Tensor) -> Tensor:
        return outputs

    def measure(self, predictions: Iterable[tuple[Tensor, Tensor]]) -> dict[str, float]:
        errors = [(guess[:, 0] - truth).abs() for guess, truth in predictions]
        return {"mean_absolute_error": float(torch.cat(errors).mean())} if errors else {}
