"""How one class an image is learnt."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from pickwell.labels import class_indices
from pickwell.learner.task_learning import TaskLearning


class Learning(TaskLearning):
    """Targets are int64 `(N,)`, the places of classes in the list."""

    head = "logistic"

    def targets(self, values: Sequence[str]) -> Tensor:
        return torch.from_numpy(class_indices(values, self.task.classes))

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The mean cross-entropy of logits `(B, C)`."""
        return functional.cross_entropy(outputs, targets)

    def measure(self, predictions: Iterable[tuple[Tensor, Tensor]]) -> dict[str, float]:
        """`accuracy`, the share of images classified right, and `accuracy/<class>` for each class that occurs."""
        classes = self.task.classes
        counts, right = torch.zeros(2, len(classes), dtype=torch.int64)
        for probabilities, targets in predictions:
            guess, truth = probabilities.argmax(dim=1).cpu(), targets.cpu()
            counts += torch.bincount(truth, minlength=len(classes))
            right += torch.bincount(truth[guess == truth], minlength=len(classes))
        if not counts.sum():
            return {}
        occur = [i for i in range(len(classes)) if counts[i]]
        shares = {f"accuracy/{classes[i]}": int(right[i]) / int(counts[i]) for i in occur}
        return {"accuracy": int(right.sum()) / int(counts.sum())} | shares
