"""Classification: one class an image."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pickwell.config import ENCODER, NO_ENCODER
from pickwell.errors import LabelError, SettingsError
from pickwell.labels import check_class
from pickwell.tasks.task import Answer, Size, Task

if TYPE_CHECKING:
    from pickwell.data.pool import Pool

LARGEST = 128
"""The default working size of photographs, in pixels: a CPU's network learns at it. Larger is a setting away."""
SMALL = 64
"""Up to this size the small network is the default."""


PUBLISHED = 224
"""The size at which encoders learnt what they know, in pixels: of no use to fine-tune one at a larger."""
ENCODED = 32
"""From this size on images are looked at by an encoder, unless somebody says otherwise."""


class Classification(Task):
    """One of the classes for each image; a label is the class's name."""

    kind = "classification"
    metric = "accuracy"
    figure = "accuracy"

    @property
    def suggested(self) -> tuple[str, ...]:
        return self.classes

    def check(self, answer: Answer, size: Size, where: str = "") -> None:
        if not isinstance(answer, str):
            raise LabelError(f"{where}a mask is no answer to classification; name one of its classes")
        check_class(answer, self.classes, where=where)

    def keep(self, answer: Answer) -> str:
        return check_class(str(answer), self.classes)

    def check_known(self, pool: "Pool", whose: str) -> None:
        for name in pool.manifest.classes():
            check_class(self.named(name), self.classes, where=f"{whose} known labels: ")

    def sources(self, images: str | Path, masks: str | Path | None, part: str, **source: Any) -> dict[str, Any]:
        _refuse_masks(masks)
        return {"where": images, **source}

    @classmethod
    def begin(
        cls, images: str | Path, masks: str | Path | None, classes: Sequence[str] | None, changes: Mapping[str, Any]
    ) -> tuple[Sequence[str] | None, dict[str, Any]]:
        _refuse_masks(masks)
        return classes, dict(changes)

    def fitting(self, pool: "Pool", encoder: str | None) -> dict[str, Any]:
        side = int(np.median(pool.manifest.sizes().min(axis=1)))
        size = min(LARGEST, max(8, -(-side // 8) * 8))
        if encoder is None:
            encoder = ENCODER if side >= ENCODED else NO_ENCODER
        if encoder != NO_ENCODER:
            # Balanced: on five sets it gained 1 to 4 points at 20 to 200 labels (docs/few-labels.md).
            head = {"model.name": "logistic", "training.class_weight": "balanced", "strategy.name": "uherding"}
            return {"encoder": encoder, "model.image_size": size, **head}
        return {"model.image_size": size, "model.name": "small_cnn" if size <= SMALL else "resnet18"}

    def finetuning(self, pool: "Pool") -> dict[str, Any]:
        side = int(np.median(pool.manifest.sizes().min(axis=1)))
        size = min(PUBLISHED, max(ENCODED, -(-side // 8) * 8))
        return {"model.image_size": size, "training.epochs": 30, "training.learning_rate": 1e-3}


def _refuse_masks(masks: str | Path | None) -> None:
    if masks is not None:
        raise SettingsError(
            f"masks are given ('{masks}'), but the task is classification, which learns one class an image; "
            "use --task segmentation, or leave the masks out"
        )
