"""What the report of a campaign with masks reads beside the store: told masks, and what was predicted of the picks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pickwell.colours import colours
from pickwell.data.pool import Pool
from pickwell.errors import LabelError, PoolError, StoreError
from pickwell.items import Pick, Round
from pickwell.labels import IGNORE_INDEX
from pickwell.report.galleries import Gallery, Scene
from pickwell.report.overlays import over_classes, over_heat, packed, shrunk
from pickwell.report.text import phrases
from pickwell.tasks.segmentation.label_maps import Mask, MaskFolder, counted
from pickwell.tasks.segmentation.predictions import MASK, UNCERTAINTY, Predictions

SHOWN = 8
"""Picks of a round that have pictures in the report, the best ranks first."""

PHOTOGRAPH, PREDICTED, UNSURE, TOLD = "photograph", "predicted", "uncertainty", "labelled"


@dataclass(frozen=True)
class SceneFiles:
    """A campaign's pool, the masks that were told, and the folder of what was predicted of each round's picks."""

    pool: Pool
    masks: MaskFolder
    rounds: Path
    classes: Sequence[str]

    @property
    def legend(self) -> dict[str, str]:
        """The colours of the classes."""
        return dict(zip(self.classes, colours(len(self.classes)), strict=True))

    def told(self, name: str) -> Mask | None:
        """The mask of that name, None if it cannot be read any more."""
        try:
            return self.masks.get(name)
        except (StoreError, LabelError):
            return None

    def pixels(self, names: Sequence[str]) -> tuple[dict[str, int], dict[str, int], int]:
        """Of these masks: the pixels of each class, how many masks show each class, and how many cannot be read."""
        pixels, shown, lost = np.zeros(256, dtype=np.int64), np.zeros(256, dtype=np.int64), 0
        for mask in map(self.told, names):
            if mask is None:
                lost += 1
                continue
            counts = counted(mask)
            pixels += counts
            shown += counts > 0
        places = range(len(self.classes))
        both = ({self.classes[place]: int(counts[place]) for place in places} for counts in (pixels, shown))
        return next(both), next(both), lost

    def gallery(self, question: Round, truth: Mapping[int, str], title: str = "") -> Gallery:
        """The first picks of a round, each with its pictures."""
        chosen = [pick for pick in question.picks if not pick.held_out]
        scenes = [self._scene(question, pick, truth.get(pick.item)) for pick in chosen[:SHOWN]]
        few = f", of which the first {SHOWN} picks are shown" if len(chosen) > SHOWN else ""
        caption = f"{len(question.picks)} images asked{few}."
        return Gallery(title or f"Round {question.number}: {question.strategy}", caption=caption, scenes=tuple(scenes))

    def _scene(self, question: Round, pick: Pick, name: str | None) -> Scene:
        """A pick with the pictures that can still be drawn of it."""
        here, number = self.pool.item(pick.item).name, question.number
        score = None if question.strategy == "random" else pick.score
        try:
            photograph = self.pool.scene(pick.item)
        except PoolError:
            return Scene(pick.item, here, pick.rank, score, {}, "its photograph is gone")
        size, told = photograph.shape[:2], None if name is None else self.told(name)
        found = Predictions(self.rounds)
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
