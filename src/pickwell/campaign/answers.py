"""What people and oracles say of items, checked against the campaign before any of it is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

import numpy as np

from pickwell.config import TaskSettings
from pickwell.data.mask_files import SUFFIX, MaskFiles
from pickwell.data.pool import Pool
from pickwell.data.reasons import ImageError
from pickwell.errors import LabelError
from pickwell.items import Kind, Label
from pickwell.labels import check_class
from pickwell.tasks.segmentation.label_maps import Mask, MaskFolder, check_mask

Answer = str | Mask
"""A class's name; or a mask, as an array or by its name in the campaign's folder of masks."""


@dataclass(frozen=True)
class Answers:
    """What may be said of a pool's items, and where its masks are kept."""

    pool: Pool
    task: TaskSettings
    masks: MaskFolder

    def of(self, answers: Mapping[int, Answer]) -> list[Label]:
        """Labels of what is said of each item; masks are kept once all of them are acceptable."""
        arrays = {item: answer for item, answer in answers.items() if isinstance(answer, np.ndarray)}
        for item, mask in arrays.items():
            self._check_mask(item, mask)
        kept = {item: self.masks.put(mask) for item, mask in arrays.items()}
        return [Label(item, kept[item] if item in kept else str(answer)) for item, answer in answers.items()]

    def from_files(self, labels: Sequence[Label], folder: Path) -> list[Label]:
        """The labels with the masks whose files, relative to `folder`, they name; kept once all are acceptable."""
        if self.task.kind == "classification":
            return list(labels)
        files = MaskFiles(folder, len(self.task.classes), self.task.void)
        for label in labels:
            self._read(label, files)
        # Read twice, so that a long list needs no more memory than one mask.
        masks = ((label, self._read(label, files)) for label in labels)
        return [label if mask is None else replace(label, value=self.masks.put(mask)) for label, mask in masks]

    def check(self, labels: Sequence[Label]) -> None:
        """Refuses, with a LabelError, what is no answer to this campaign's question."""
        for label in labels:
            self._check_item(label.item)
            if label.kind is not Kind.ANSWER:
                continue
            if self.task.kind == "classification":
                check_class(str(label.value), self.task.classes, where=f"item {label.item}: ")
            else:
                self._check_mask(label.item, self._kept(label))

    def _read(self, label: Label, files: MaskFiles) -> Mask | None:
        """The mask in the file that a label names; None if the label names none."""
        self._check_item(label.item)
        if label.kind is not Kind.ANSWER:
            return None
        named = PurePath(str(label.value))
        if named.name in self.masks:
            return self._kept(replace(label, value=named.name))
        if named.suffix.lower() != SUFFIX:
            raise LabelError(
                f"item {label.item}: '{label.value}' is no mask; this campaign's labels are masks, "
                f"so give the path of a {SUFFIX} file, relative to {files.root.absolute()}"
            )
        try:
            width, height = self.pool.manifest.sizes([label.item])[0].tolist()
            return files.read(str(named), (width, height))
        except ImageError as error:
            raise LabelError(f"item {label.item}: '{label.value}': {error}") from None

    def _kept(self, label: Label) -> Mask:
        """The mask in the campaign's folder that a label names; LabelError if there is none."""
        if label.value not in self.masks:
            raise LabelError(
                f"item {label.item}: '{label.value}' is no mask in {self.masks.root}; "
                "tell an array (H, W) of uint8 or, with pickwell tell, the path of a mask's file"
            )
        return self.masks.get(str(label.value))

    def _check_mask(self, item: int, mask: Mask) -> None:
        self._check_item(item)
        if self.task.kind == "classification":
            raise LabelError(f"item {item}: a mask is no answer to classification; name one of its classes")
        width, height = self.pool.manifest.sizes([item])[0].tolist()
        check_mask(mask, (width, height), len(self.task.classes), f"item {item}: ")

    def _check_item(self, item: int) -> None:
        if not 0 <= item < len(self.pool):
            raise LabelError(f"unknown item {item}; the pool holds items 0 to {len(self.pool) - 1}")
