"""Pascal VOC segmentation: palette PNGs in SegmentationClass, names in labelmap.txt; CVAT's "Segmentation mask" too.

Use when: a tool knows Pascal VOC's masks, CVAT among them.
Source: Everingham et al. 2010.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from pickwell.errors import LabelError
from pickwell.formats.exchange.found import SEGMENTATION, Codes, Context, Found, Labelled, Size
from pickwell.formats.exchange.mask_pictures import (
    Colour,
    colours,
    is_grey,
    label_map_file,
    masks_below,
    numbers,
    palette_png,
    save,
    voc_colour,
)
from pickwell.formats.exchange.names import Places
from pickwell.formats.exchange.paths import appearing
from pickwell.labels import IGNORE_INDEX

TASKS = (SEGMENTATION,)

CLASSES = (
    *("background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
)
"""The 21 classes of the challenge by palette index; 255 is the border, which is ignored."""

_MASKS, _TABLE = "SegmentationClass", "labelmap.txt"


def read(where: Path, context: Context) -> list[Found]:
    """The masks in SegmentationClass. With labelmap.txt colours are its names, without it indices are the 21 classes.

    A grey mask beside labelmap.txt has its lines' places as values.
    """
    if not (where / _MASKS).is_dir():
        raise LabelError(f"{where} holds no folder {_MASKS}; name the folder that it is in")
    table = label_map_file(where / _TABLE) if (where / _TABLE).exists() else []
    return masks_below(where, _MASKS, lambda path: _load(path, table))


def _load(path: Path, table: Sequence[tuple[str | None, Colour]]) -> Callable[[Size], Codes]:
    """Reads one mask: by the table's colours if there is a table, else by index."""
    if not table:
        return numbers(path, {**dict(enumerate(CLASSES)), IGNORE_INDEX: None})
    # VOC draws borders in this colour, which means ignore where no class of the table has it.
    border = voc_colour(IGNORE_INDEX)
    known = table if any(colour == border for _, colour in table) else [*table, (None, border)]

    def load(size: Size) -> Codes:
        if is_grey(path):
            return numbers(path, {**dict(enumerate(name for name, _ in table)), IGNORE_INDEX: None})(size)
        return colours(path, known)(size)

    return load


def write(out: Path, labelled: Sequence[Labelled], context: Context) -> None:
    """Writes palette PNGs whose indices are the class list's places, labelmap.txt and the list of images."""
    odd = [name for name in context.classes if ":" in name or name.startswith("#") or name.casefold() == "void"]
    if odd:
        raise LabelError(f"labelmap.txt cannot name the class '{odd[0]}'; export as masks, or rename the class")
    places = Places([one.name for one in labelled])
    lines = [f"{name}:{','.join(map(str, voc_colour(i)))}::\n" for i, name in enumerate(context.classes)]
    with appearing(out) as folder:
        save(folder / _TABLE, ("# label:color_rgb:parts:actions\n" + "".join(lines)).encode())
        for one in labelled:
            save(folder / _MASKS / places.of(one.name), palette_png(one.mask()))
        listed = "".join(f"{places.key(one.name)}\n" for one in labelled)
        save(folder / "ImageSets" / "Segmentation" / "train.txt", listed.encode("utf-8", "surrogateescape"))
