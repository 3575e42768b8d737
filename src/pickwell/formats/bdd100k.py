"""BDD100K semantic segmentation: train ids in `labels/sem_seg/masks/<split>/<id>.png`, before 2021 in `seg/labels`.

Use when: the masks are BDD100K's, or a tool for that set is to read them.
Source: https://doc.bdd100k.com/format.html
"""

from collections.abc import Sequence
from pathlib import Path

from pickwell.errors import LabelError
from pickwell.formats.cityscapes import TRAIN_IDS, numbers_of, train_names
from pickwell.formats.exchange.found import SEGMENTATION, Context, Found, Labelled
from pickwell.formats.exchange.mask_pictures import numbers, renumbered, save
from pickwell.formats.exchange.names import distinct, inside, without_ending
from pickwell.formats.exchange.paths import appearing, files_below
from pickwell.labels import IGNORE_INDEX

TASKS = (SEGMENTATION,)

_NEW, _OLD, _OLD_ENDING = "labels/sem_seg/masks", "seg/labels", "_train_id.png"
_SPLITS = ("train", "val", "test")


def read(where: Path, context: Context) -> list[Found]:
    """The masks of the new layout, of the old one, or of both: Cityscapes' train ids, 255 for unknown."""
    found = []
    for folder, ending in ((_NEW, ".png"), (_OLD, _OLD_ENDING)):
        if (where / folder).is_dir():
            files = files_below(where / folder, ending)
            found += [(f"{folder}/{name}", name.removesuffix(ending), path) for name, path in files]
    if not found:
        raise LabelError(f"{where} holds no mask in {_NEW} or {_OLD}; name the folder that these are in")
    names = train_names()
    return [Found(name, load=numbers(path, names), where=at) for at, name, path in found]


def write(out: Path, labelled: Sequence[Labelled], context: Context) -> None:
    """Writes the new layout."""
    values = numbers_of(context, TRAIN_IDS, "BDD100K")
    places = distinct([_place(one.name) for one in labelled])
    with appearing(out) as folder:
        folder.mkdir()
        for one, place in zip(labelled, places, strict=True):
            save(folder / inside(f"{_NEW}/{place}.png"), renumbered(one.mask(), values, IGNORE_INDEX))


def _place(name: str) -> str:
    """The path below the masks' folder: from the split on, or below train where the name has none."""
    parts = without_ending(name).split("/")
    split = next((index for index, part in enumerate(parts[:-1]) if part in _SPLITS), None)
    return "/".join(parts[split:] if split is not None else ["train", *parts])
