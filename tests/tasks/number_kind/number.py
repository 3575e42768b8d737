"""A number an image."""

from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any

from pickwell.config import Settings
from pickwell.data.pool import Pool
from pickwell.errors import LabelError
from pickwell.tasks.task import Answer, Size, Task


class Number(Task):
    """A finite number for each image; a label is its text."""

    kind = "number"
    metric = "mean_absolute_error"
    figure = "mean absolute error"
    share = False

    def check_settings(self, settings: Settings) -> None:
        """Nothing: there are no classes."""

    def check(self, answer: Answer, size: Size, where: str = "") -> None:
        try:
            right = isinstance(answer, str) and isfinite(float(answer))
        except ValueError:
            right = False
        if not right:
            raise LabelError(f"{where}'{answer}' is no number; write one as 3.5")

    def check_known(self, pool: Pool, whose: str) -> None:
        for text in pool.manifest.classes():
            self.check(text, (0, 0), f"{whose} known labels: ")

    def shown(self, value: str) -> tuple[str, ...]:
        return ()

    def sources(self, images: str | Path, masks: str | Path | None, part: str, **source: Any) -> dict[str, Any]:
        return {"where": images, **source}

    @classmethod
    def begin(
        cls, images: str | Path, masks: str | Path | None, classes: Sequence[str] | None, changes: Mapping[str, Any]
    ) -> tuple[Sequence[str], dict[str, Any]]:
        return (), dict(changes)

    def fitting(self, pool: Pool, encoder: str | None) -> dict[str, Any]:
        return {"model.name": "small_cnn", "model.image_size": 8}
