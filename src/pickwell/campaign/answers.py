"""What people, files and oracles say of items, checked against the campaign before any of it is kept."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from pickwell.config import TaskSettings
from pickwell.data.mask_files import SUFFIX, MaskFiles
from pickwell.data.pool import Pool
from pickwell.data.reasons import ImageError
from pickwell.errors import LabelError, SettingsError
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

    @property
    def dense(self) -> bool:
        """Whether a label is a mask rather than a class."""
        return self.task.kind == "segmentation"

    def labels(self, said: Mapping[int, Answer] | Sequence[Label], files: Path | None = None) -> list[Label]:
        """Labels of what is said of each item; masks are kept once all is acceptable, else LabelError.

        With `files` a label that is no mask of the campaign's names a mask's file, relative to that folder.
        """
        given: list[tuple[Label, Answer | None]] = (
            [(Label(item, None), answer) for item, answer in said.items()]
            if isinstance(said, Mapping)
            else [(label, label.value) for label in said]
        )
        for label, answer in given:
            self.check(label.item, label.kind, self._read(label, answer, files))
        # Files are read twice, so that a long list needs no more memory than one mask.
        return [replace(label, value=self.keep(self._read(label, answer, files))) for label, answer in given]

    def check(self, item: int, kind: Kind, answer: Answer | None) -> None:
        """Refuses, with a LabelError, what is no answer to this campaign's question."""
        self.check_items([item])
        if kind is not Kind.ANSWER:
            return
        where = f"item {item}: "
        if self.dense:
            mask = answer if isinstance(answer, np.ndarray) else self._kept(item, str(answer))
            check_mask(mask, self._size(item), len(self.task.classes), where)
        elif isinstance(answer, np.ndarray):
            raise LabelError(f"{where}a mask is no answer to classification; name one of its classes")
        else:
            check_class(str(answer), self.task.classes, where=where)

    def check_items(self, items: Collection[int]) -> None:
        """Refuses, with a LabelError, an item that the pool does not hold."""
        for item in items:
            if not 0 <= item < len(self.pool):
                raise LabelError(f"unknown item {item}; the pool holds items 0 to {len(self.pool) - 1}")

    def keep(self, answer: Answer | None) -> str | None:
        """What the store keeps of an answer: a mask is written to the campaign's folder, and its name returned."""
        return self.masks.put(answer) if isinstance(answer, np.ndarray) else None if answer is None else str(answer)

    def shown(self, value: str) -> tuple[str, ...]:
        """The classes that a stored label shows: its own name, or those that occur in a mask."""
        if not self.dense:
            return (value,)
        names = dict(enumerate(self.task.classes))
        return tuple(names[index] for index in self.masks.shown(value) if index in names)

    def _read(self, label: Label, answer: Answer | None, files: Path | None) -> Answer | None:
        """The answer, or the mask in the file that it names."""
        if files is None or not self.dense or label.kind is not Kind.ANSWER or isinstance(answer, np.ndarray):
            return answer
        named = PurePath(str(answer))
        if named.name in self.masks:
            return named.name
        self.check_items([label.item])
        if named.suffix.lower() != SUFFIX:
            raise LabelError(
                f"item {label.item}: '{answer}' is no mask; this campaign's labels are masks, "
                f"so give the path of a {SUFFIX} file, relative to {files.absolute()}"
            )
        try:
            return MaskFiles(files, len(self.task.classes), self.task.void).read(str(named), self._size(label.item))
        except ImageError as error:
            raise LabelError(f"item {label.item}: '{answer}': {error}") from None

    def _kept(self, item: int, name: str) -> Mask:
        """The mask in the campaign's folder that a label names; LabelError if there is none."""
        if name not in self.masks:
            raise LabelError(
                f"item {item}: '{name}' is no mask in {self.masks.root}; "
                "tell an array (H, W) of uint8 or, with pickwell tell, the path of a mask's file"
            )
        return self.masks.get(name)

    def _size(self, item: int) -> tuple[int, int]:
        width, height = self.pool.manifest.sizes([item])[0].tolist()
        return width, height


def check_task(task: TaskSettings, made: Mapping[str, Any]) -> None:
    """Refuses a task that has become another since the campaign was made with the settings `made`.

    Classes may come and go while labels are names; masks hold their places in the list, which is therefore fixed.
    """
    was = TaskSettings.model_validate(made["task"])
    if task.kind != was.kind:
        raise SettingsError(
            f"task.kind of campaign.toml is {task.kind}, but the campaign was made for {was.kind}; put it back, or "
            "make another campaign"
        )
    if task.kind == "segmentation" and task != was:
        raise SettingsError(
            f"the class list of campaign.toml is {_said(task)}, but the campaign's masks were made with {_said(was)}, "
            "and hold numbers that mean places in it; put it back, or make another campaign"
        )


def _said(task: TaskSettings) -> str:
    """A class list in words."""
    return ", ".join(task.classes) + (f" and void {', '.join(map(str, task.void))}" if task.void else "")
