"""CamVid: as SegNet has it (`trainannot/X.png`, 0 to 10 and 11 for void), or in colours (`X_L.png` and their table).

Use when: the masks are CamVid's, in either of the two layouts that are passed around.
Source: Brostow et al. 2009; Badrinarayanan et al. 2017 (SegNet).
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from pickwell.data.layouts import CAMVID
from pickwell.errors import LabelError
from pickwell.formats.cityscapes import numbers_of
from pickwell.formats.exchange.colour_tables import class_dict, colours, label_colors
from pickwell.formats.exchange.found import SEGMENTATION, Context, Found, Labelled
from pickwell.formats.exchange.mask_pictures import masks_below, numbers, renumbered
from pickwell.formats.exchange.names import SPLITS, by_split, distinct, inside
from pickwell.formats.exchange.paths import appearing, save

TASKS = (SEGMENTATION,)

VOID = 11
_TABLES = (("label_colors.txt", label_colors), ("class_dict.csv", class_dict))


def read(where: Path, context: Context) -> list[Found]:
    """The masks of SegNet's folders; or, beside a table of colours, all files that end in _L.png."""
    for file, table in _TABLES:
        if (where / file).exists():
            masks = masks_below(where, "", partial(colours, table=table(where / file)), "_L.png")
            return [replace(mask, name=mask.name.rpartition("/")[2]) for mask in masks]
    load = partial(numbers, names={**dict(enumerate(CAMVID)), VOID: None})
    splits = [split for split in SPLITS if (where / f"{split}annot").is_dir()]
    found = [one for split in splits for one in masks_below(where, f"{split}annot", load, before=f"{split}/")]
    if not found:
        raise LabelError(f"{where} holds no trainannot, valannot or testannot, nor label_colors.txt or class_dict.csv")
    return found


def write(out: Path, labelled: Sequence[Labelled], context: Context) -> None:
    """Writes SegNet's folders, and for each split the list of image and mask."""
    values = numbers_of(context, CAMVID, "CamVid")
    places = distinct([by_split(one.name) for one in labelled])
    lists: dict[str, list[str]] = {}
    with appearing(out) as folder:
        for one, (split, name) in zip(labelled, places, strict=True):
            mask = inside(f"{split}annot/{name}.png")
            save(folder / mask, renumbered(one.mask(), values, VOID))
            lists.setdefault(split, []).append(f"{one.name} {mask.as_posix()}\n")
        for split, lines in lists.items():
            save(folder / f"{split}.txt", "".join(lines).encode("utf-8", "surrogateescape"))
