"""What people, files and oracles say of items, checked against the campaign before any of it is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pickwell.data.pool import Pool
from pickwell.errors import LabelError, unknown_item
from pickwell.items import ItemId, Kind, Label
from pickwell.spelling import NO_STEERING, STEERING, printable
from pickwell.tasks.task import Answer, Size, Task


@dataclass(frozen=True)
class Answers:
    """What may be said of a pool's items."""

    pool: Pool
    task: Task

    def labels(self, said: Mapping[ItemId, Answer] | Sequence[Label], files: Path | None = None) -> list[Label]:
        """The labels as the store takes them; LabelError, and nothing is kept, unless all of them are acceptable.

        With `files` texts are those of a label file in that folder, in which masks are the paths of files.
        """
        pairs: list[tuple[Label, Answer | None]] = (
            [(Label(item, None), answer) for item, answer in said.items()]
            if isinstance(said, Mapping)
            else [(label, label.value) for label in said]
        )
        for name in {label.annotator for label, _ in pairs}:
            if STEERING.search(name):
                raise LabelError(f"annotator '{printable(name)}': a name has {NO_STEERING}; spell it without")
        sizes = self.sizes([label.item for label, _ in pairs])

        def read(label: Label, answer: Answer | None, size: Size) -> Answer:
            found = _given(answer)
            if files is None or isinstance(found, np.ndarray):
                return found
            return self.task.read(found, files, size, f"item {label.item}: ")

        # Files are read twice, so that a long list needs no more memory than one of them.
        for (label, answer), size in zip(pairs, sizes, strict=True):
            if label.kind is Kind.ANSWER:
                self.task.check(read(label, answer, size), size, f"item {label.item}: ")
        return [
            _valued(label, self.task.keep(read(label, answer, size))) if label.kind is Kind.ANSWER else label
            for (label, answer), size in zip(pairs, sizes, strict=True)
        ]

    def check(self, items: Sequence[ItemId], kind: Kind, answer: Answer | None) -> None:
        """Refuses, with a LabelError, what is no answer to this campaign's question for any of the items."""
        for item, size in zip(items, self.sizes(items), strict=True):
            if kind is Kind.ANSWER:
                self.task.check(_given(answer), size, f"item {item}: ")

    def sizes(self, items: Sequence[ItemId]) -> list[Size]:
        """Widths and heights of the items' images; a LabelError for an item that the pool does not hold."""
        for item in items:
            if not 0 <= item < len(self.pool):
                raise LabelError(unknown_item(int(item), len(self.pool)))
        return [(width, height) for width, height in self.pool.manifest.sizes(items).tolist()]


def _valued(label: Label, value: str) -> Label:
    return label if label.value == value else replace(label, value=value)


def _given(answer: Answer | None) -> Answer:
    if answer is None:  # as a text it might be a class's name
        raise LabelError("an answer needs a label, skip and ignore have none; name one, or say skip or ignore")
    return answer if isinstance(answer, np.ndarray) else str(answer)
