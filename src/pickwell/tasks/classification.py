"""Classification: one class an image."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor
from torch.nn import functional
from torchmetrics.classification import MulticlassAccuracy

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
        by_class = MulticlassAccuracy(len(self.classes), average=None)
        counts = torch.zeros(len(self.classes), dtype=torch.int64)
        right = 0
        for probabilities, targets in predictions:
            guess, truth = probabilities.argmax(dim=1).cpu(), targets.cpu()
            by_class.update(guess, truth)
            right += int((guess == truth).sum())
            counts += torch.bincount(truth, minlength=len(self.classes))
        if not counts.sum():
            return {}
        values = by_class.compute()
        shares = {f"accuracy/{name}": float(values[i]) for i, name in enumerate(self.classes) if counts[i]}
        return {"accuracy": right / int(counts.sum())} | shares
