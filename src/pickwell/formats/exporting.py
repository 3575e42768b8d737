"""From the store to what a format writes: the labels that stand, and the picks that wait."""

from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from pickwell.data.copies import Place
from pickwell.data.pool import Pool
from pickwell.errors import LabelError, RoundError
from pickwell.formats.exchange.found import Asked, Labelled, Question
from pickwell.items import Kind, Label, Round
from pickwell.tasks.segmentation.label_maps import Mask
from pickwell.tasks.task import Task


def labelled(standing: Sequence[Label], pool: Pool, task: Task, kinds: Collection[Kind]) -> list[Labelled]:
    """The images of which something of these kinds stands, by id, each under all its names.

    A label map is read when it is called for.
    """
    said = [one for one in standing if one.kind in kinds]
    if not said:
        raise LabelError("nothing is labelled yet, so there is nothing to export; label some images first")
    sizes = pool.manifest.sizes([one.item for one in said]).tolist()
    return [
        Labelled(
            one.item,
            place.name,
            (size[0], size[1]),
            one.value or "",
            mask=partial(_mask, task, one.value or ""),
            image=partial(pool.bytes, one.item),
            file=file_of(pool, place),
            kind=one.kind,
            annotator=one.annotator,
            seconds=one.seconds,
            time=one.time,
        )
        for one, size in zip(said, sizes, strict=True)
        for place in pool.manifest.places(one.item)
    ]


def _mask(task: Task, label: str) -> Mask:
    return np.asarray(task.answer(label))


def question(current: Round | None, pool: Pool, prefix: str = "", *, copies: bool = False) -> Question:
    """The picks of the open round that wait, in rank order; RoundError if no round is open."""
    if current is None:
        raise RoundError("no round is open, so there is no to-label list; ask opens one")
    asked = [
        Asked(
            pick.item,
            pool.item(pick.item).name,
            pick.rank,
            None if pick.held_out else pick.score,
            image=partial(pool.bytes, pick.item),
            file=file_of(pool, pool.manifest.places(pick.item)[0]),
        )
        for pick in sorted(current.waiting, key=lambda pick: pick.rank)
    ]
    return Question(current.number, tuple(asked), prefix, copies)


def file_of(pool: Pool, place: Place) -> Path | None:
    """The file that an image of the pool is; None where it is inside another file, or drawn."""
    return pool.sources[place.source].source.file(place.path) if place.row is None else None
