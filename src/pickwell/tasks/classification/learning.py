"""Classification: one class an image."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from pickwell.labels import check_classes, class_indices


class Classification:
    """One of `classes` for each image; targets are int64 `(N,)`."""

    metric = "accuracy"
    dense = False

    def __init__(self, classes: Sequence[str]) -> None:
        self.classes = check_classes(classes)

    def targets(self, values: Sequence[str]) -> Tensor:
        """The class names' indices."""
        return torch.from_numpy(class_indices(values, self.classes))

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The mean cross-entropy of logits `(B, C)`."""
        return functional.cross_entropy(logits, targets)

    def measure(self, predictions: Iterable[tuple[Tensor, Tensor]]) -> dict[str, float]:
        """`accuracy`, the share of images classified right, and `accuracy/<class>` for each class that occurs."""
        counts, right = torch.zeros(2, len(self.classes), dtype=torch.int64)
        for probabilities, targets in predictions:
            guess, truth = probabilities.argmax(dim=1).cpu(), targets.cpu()
            counts += torch.bincount(truth, minlength=len(self.classes))
            right += torch.bincount(truth[guess == truth], minlength=len(self.classes))
        if not counts.sum():
            return {}
        occur = [i for i in range(len(self.classes)) if counts[i]]
        shares = {f"accuracy/{self.classes[i]}": int(right[i]) / int(counts[i]) for i in occur}
        return {"accuracy": int(right.sum()) / int(counts.sum())} | shares
