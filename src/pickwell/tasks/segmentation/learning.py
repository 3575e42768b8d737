"""How one class a pixel is learnt."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from pickwell import models
from pickwell.config import Settings
from pickwell.data.pool import Pool
from pickwell.errors import SettingsError, unknown
from pickwell.labels import IGNORE_INDEX
from pickwell.learner.batches import Targets
from pickwell.learner.item_stream import Stream
from pickwell.learner.learner import Learner
from pickwell.learner.task_learning import TaskLearning
from pickwell.models import Network
from pickwell.tasks.segmentation.crops import SceneDraws
from pickwell.tasks.segmentation.mask_targets import MaskTargets
from pickwell.tasks.segmentation.predicting import predict
from pickwell.tasks.segmentation.predictions import Predictions
from pickwell.tasks.segmentation.scenes import Scenes
from pickwell.tasks.segmentation.segmentation import Segmentation


class Learning(TaskLearning):
    """Targets are uint8 `(B, H, W)`, of which 255 counts nowhere; pixels have their native size."""

    task: Segmentation
    head = ""

    def targets(self, values: Sequence[str]) -> MaskTargets[str]:
        """The masks of these names; none is read yet."""
        return MaskTargets(values, self.task.masks.get)

    def known(self, pool: Pool, items: Sequence[int]) -> MaskTargets[int]:
        return MaskTargets(items, pool.mask)

    def fingerprint(self, targets: Targets) -> bytes:
        assert isinstance(targets, MaskTargets)
        return "\n".join(targets.keys).encode()  # a mask's name is a digest of what it says

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The mean cross-entropy of the pixels that count, of logits `(B, C, H, W)`; 0 where none does."""
        # Not torch's mean, which is NaN where a whole batch is void.
        total = functional.cross_entropy(outputs, targets.long(), ignore_index=IGNORE_INDEX, reduction="sum")
        return total / (targets != IGNORE_INDEX).sum().clamp(min=1)

    def measure(self, predictions: Iterable[tuple[Tensor, Tensor]]) -> dict[str, float]:
        """`mean_iou`, `iou/<class>` and `pixel_accuracy`, from one confusion matrix of all the pixels that count.

        A class that no pixel has, nor is said to have, has no IoU and does not count in the mean.
        """
        classes = self.task.classes
        matrix = torch.zeros(len(classes), len(classes), dtype=torch.int64)
        for probabilities, truth in predictions:
            matrix += confusion(probabilities.max(1).indices.cpu(), truth.cpu(), len(classes))
        if not matrix.sum():
            return {}
        right, union = matrix.diag(), matrix.sum(0) + matrix.sum(1) - matrix.diag()
        shares = {i: int(right[i]) / int(union[i]) for i in range(len(classes)) if union[i]}
        return {
            "mean_iou": sum(shares.values()) / len(shares),
            "pixel_accuracy": int(right.sum()) / int(matrix.sum()),
            **{f"iou/{classes[i]}": share for i, share in shares.items()},
        }

    def pixels(self, pool: Pool, settings: Settings) -> Scenes:
        return Scenes(pool, settings.training.memory_limit_mib << 20)

    def draws(self, pixels: Any, settings: Settings, whole: int, **common: Any) -> SceneDraws:
        """Crops for the task model, squares of `whole` pixels for a strategy's own networks."""
        return SceneDraws(pixels, crop=settings.model.image_size, whole=whole, **common)

    def network(self, settings: Settings, weights: str | Path | None = None, size: int | None = None) -> Network:
        return models.load_dense(settings.model.name, self.outputs, weights=weights, width=settings.model.width)

    def check_network(self, name: str) -> None:
        super().check_network(name)
        if name not in models.available_dense():
            raise SettingsError(unknown("model for masks", name, models.available_dense()))

    def show(
        self, folder: Path, number: int, picks: Sequence[int], learner: Learner, streams: Callable[[Tensor], Stream]
    ) -> None:
        predict(Predictions(folder), number, picks, learner, streams)


def confusion(guess: Tensor, truth: Tensor, classes: int) -> Tensor:
    """How many pixels of each class (rows) were said to be of each class (columns), int64 `(C, C)`; 255 is left out.

    >>> confusion(torch.tensor([0, 1, 1, 1]), torch.tensor([0, 0, 1, 255]), 2).tolist()
    [[1, 1], [0, 1]]
    """
    counted = truth != IGNORE_INDEX
    pairs = truth[counted].long() * classes + guess[counted].long()
    return torch.bincount(pairs, minlength=classes**2).view(classes, classes)
