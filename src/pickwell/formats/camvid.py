"""CamVid: as SegNet has it (`trainannot/X.png`, 0 to 10 and 11 for void), or in colours (`X_L.png` and their table).

Use when: the masks are CamVid's, in either of the two layouts that are passed around.
Source: Brostow et al. 2009; Badrinarayanan et al. 2017 (SegNet).
"""

from collections.abc import Sequence
from pathlib import Path

from pickwell.data.layouts import CAMVID
from pickwell.errors import LabelError
from pickwell.formats.cityscapes import numbers_of
from pickwell.formats.exchange.found import SEGMENTATION, Context, Found, Labelled
from pickwell.formats.exchange.mask_pictures import class_dict, colours, label_colors, numbers, renumbered, save
from pickwell.formats.exchange.names import distinct, inside, without_ending
from pickwell.formats.exchange.paths import appearing, files_below

TASKS = (SEGMENTATION,)

VOID = 11
_SPLITS = ("train", "val", "test")
_TABLES = (("label_colors.txt", label_colors), ("class_dict.csv", class_dict))


def read(where: Path, context: Context) -> list[Found]:
    """The masks of SegNet's folders; or, beside a table of colours, all files that end in _L.png."""
    for file, table in _TABLES:
        if (where / file).exists():
            entries = table(where / file)
            return [
                Found(path.name.removesuffix("_L.png"), load=colours(path, entries), where=name)
                for name, path in files_below(where, "_L.png")
            ]
    names: dict[int, str | None] = {**dict(enumerate(CAMVID)), VOID: None}
    found = []
    for split in _SPLITS:
        if (where / f"{split}annot").is_dir():
            files = files_below(where / f"{split}annot", ".png")
            found += [(f"{split}/{name.removesuffix('.png')}", path) for name, path in files]
    if not found:
        raise LabelError(f"{where} holds no trainannot, valannot or testannot, nor label_colors.txt or class_dict.csv")
    return [Found(name, load=numbers(path, names), where=path.relative_to(where).as_posix()) for name, path in found]


def write(out: Path, labelled: Sequence[Labelled], context: Context) -> None:
    """Writes SegNet's folders, and for each split the list of image and mask."""
    values = numbers_of(context, CAMVID, "CamVid")
    places = distinct([_place(one.name) for one in labelled])
    lists: dict[str, list[str]] = {}
    with appearing(out) as folder:
        folder.mkdir()
        for one, (split, name) in zip(labelled, places, strict=True):
            mask = inside(f"{split}annot/{name}.png")
            save(folder / mask, renumbered(one.mask(), values, VOID))
            lists.setdefault(split, []).append(f"{one.name} {mask.as_posix()}\n")
        for split, lines in lists.items():
            save(folder / f"{split}.txt", "".join(lines).encode("utf-8", "surrogateescape"))


def _place(name: str) -> tuple[str, str]:
    """Split and name: train where the image's name has no split."""
    parts = without_ending(name).split("/")
    split = next((index for index, part in enumerate(parts[:-1]) if part in _SPLITS), None)
    return (parts[split], "/".join(parts[split + 1 :])) if split is not None else ("train", "/".join(parts))
