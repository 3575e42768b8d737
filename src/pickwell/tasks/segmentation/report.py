"""What the report adds for segmentation: pixels by class, and scenes with what was predicted and told of them."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from pickwell.colours import colours
from pickwell.errors import LabelError, PoolError, StoreError
from pickwell.items import Pick, Round
from pickwell.labels import IGNORE_INDEX
from pickwell.report.galleries import Gallery, Scene
from pickwell.report.task_report import TaskReport
from pickwell.report.text import phrases
from pickwell.statistics.runs import RoundRow
from pickwell.tasks.segmentation.label_maps import Mask, counted
from pickwell.tasks.segmentation.overlays import over_classes, over_heat, packed, shrunk
from pickwell.tasks.segmentation.predictions import MASK, UNCERTAINTY, Predictions

SHOWN = 8
"""Picks of a round that have pictures in the report, the best ranks first."""

PHOTOGRAPH, PREDICTED, UNSURE, TOLD = "photograph", "predicted", "uncertainty", "labelled"


class Report(TaskReport):
    """The told masks' pixels by class, and picked scenes with what was predicted and told of them."""

    @property
    def legend(self) -> dict[str, str]:
        classes = self.campaign.task.classes
        return dict(zip(classes, colours(len(classes)), strict=True))

    def told(self, name: str) -> Mask | None:
        """The mask of that name, None if it cannot be read any more."""
        try:
            return np.asarray(self.campaign.task.answer(name))
        except (StoreError, LabelError):
            return None

    def notes(self, rows: Sequence[RoundRow]) -> tuple[str, ...]:
        """How masks are measured; nothing before anything was."""
        where = "images drawn at random from the pool" if self.campaign.test is None else "the test set"
        counts = [row.measured for row in rows if row.measured]
        if not counts:
            return ()
        least, most = min(counts), max(counts)
        many = f"{most} images" if least == most else f"{least} images at first and {most} at last"
        return (
            f"Measured on {many} ({where}), none of them trained on. IoU and pixel accuracy come from one confusion "
            "matrix of all their pixels; mean IoU is the mean over the classes that occur. Pixels labelled 255 or void "
            "count nowhere.",
        )

    def warnings(self, values: Sequence[str]) -> tuple[str, ...]:
        lost = sum(self.told(name) is None for name in values)
        return (f"{lost} masks that were told cannot be read any more; tell them again",) if lost else ()

    def counts(self, values: Sequence[str]) -> tuple[Mapping[str, int], Mapping[str, int]]:
        classes = self.campaign.task.classes
        told = [counted(mask)[: len(classes)] for mask in map(self.told, values) if mask is not None]
        table = np.array(told, dtype=np.int64).reshape(-1, len(classes))
        shown, pixels = (dict(zip(classes, sums.tolist(), strict=True)) for sums in ((table > 0).sum(0), table.sum(0)))
        return (shown, pixels) if values else ({}, {})

    def gallery(self, question: Round, truth: Mapping[int, str]) -> Gallery:
        """The first picks of a round, each with its pictures."""
        chosen = [pick for pick in question.picks if not pick.held_out]
        scenes = [self._scene(question, pick, truth.get(pick.item)) for pick in chosen[:SHOWN]]
        few = f", of which the first {SHOWN} picks are shown" if len(chosen) > SHOWN else ""
        caption = f"{len(question.picks)} images asked{few}."
        title = f"Round {question.number}: {question.strategy}"
        return Gallery(title, caption=caption, scenes=tuple(scenes))

    def _scene(self, question: Round, pick: Pick, name: str | None) -> Scene:
        """A pick with the pictures that can still be drawn of it."""
        here, number = self.pool.item(pick.item).name, question.number
        score = None if question.strategy == "random" else pick.score
        try:
            photograph = self.pool.scene(pick.item)
        except PoolError:
            return Scene(pick.item, here, pick.rank, score, {}, "its photograph is gone")
        size, told = photograph.shape[:2], None if name is None else self.told(name)
        found = Predictions(self.campaign.directory.rounds)
        guess, unsure = (found.read(number, pick.item, kind) for kind in (MASK, UNCERTAINTY))
        if guess is not None and guess.shape != size:
            guess = None  # the photograph is another than it was
        small = shrunk(photograph)
        tones = list(self.legend.values())
        drawn = {
            PHOTOGRAPH: small,
            PREDICTED: None if guess is None else over_classes(small, guess, tones),
            UNSURE: None if unsure is None else over_heat(small, unsure),
            TOLD: None if told is None else over_classes(small, told, tones),
        }
        pictures = {kind: packed(pixels) for kind, pixels in drawn.items() if pixels is not None}
        return Scene(pick.item, here, pick.rank, score, pictures, "; ".join(_words(guess, unsure, told)))


def _words(guess: Mask | None, unsure: Mask | None, told: Mask | None) -> Iterator[str]:
    if guess is not None and told is not None and told.shape == guess.shape and (told != IGNORE_INDEX).any():
        right = float((guess == told)[told != IGNORE_INDEX].mean())
        yield f"{phrases.percent(right)} of the labelled pixels predicted right"
    if unsure is not None:
        yield f"mean uncertainty {phrases.number(float(unsure.mean()) / 255)}"
