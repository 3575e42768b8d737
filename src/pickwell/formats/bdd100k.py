"""BDD100K semantic segmentation: train ids in `labels/sem_seg/masks/<split>/<id>.png`, before 2021 in `seg/labels`.

Use when: the masks are BDD100K's, or a tool for that set is to read them.
Source: https://doc.bdd100k.com/format.html
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from pickwell.errors import LabelError
from pickwell.formats.cityscapes import TRAIN_IDS, numbers_of, train_names
from pickwell.formats.exchange.found import SEGMENTATION, Context, Found, Labelled
from pickwell.formats.exchange.mask_pictures import masks_below, numbers, renumbered
from pickwell.formats.exchange.names import by_split, distinct, inside
from pickwell.formats.exchange.paths import appearing, save
from pickwell.labels import IGNORE_INDEX

TASKS = (SEGMENTATION,)

_NEW, _OLD = "labels/sem_seg/masks", "seg/labels"
_LAYOUTS = ((_NEW, ".png"), (_OLD, "_train_id.png"))
"""The folders of masks, and how their files' names end."""


def read(where: Path, context: Context) -> list[Found]:
    """The masks of the new layout, of the old one, or of both: Cityscapes' train ids, 255 for unknown."""
    load = partial(numbers, names=train_names())
    layouts = [(folder, ending) for folder, ending in _LAYOUTS if (where / folder).is_dir()]
    found = [one for folder, ending in layouts for one in masks_below(where, folder, load, ending)]
    if not found:
        raise LabelError(f"{where} holds no mask in {_NEW} or {_OLD}; name the folder that these are in")
    return found


def write(out: Path, labelled: Sequence[Labelled], context: Context) -> None:
    """Writes the new layout."""
    values = numbers_of(context, TRAIN_IDS, "BDD100K")
    places = distinct([by_split(one.name) for one in labelled])
    with appearing(out) as folder:
        for one, (split, name) in zip(labelled, places, strict=True):
            save(folder / inside(f"{_NEW}/{split}/{name}.png"), renumbered(one.mask(), values, IGNORE_INDEX))
