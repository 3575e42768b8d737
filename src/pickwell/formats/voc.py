"""Pascal VOC segmentation: palette PNGs in SegmentationClass, names in labelmap.txt; CVAT's "Segmentation mask" too.

Use when: a tool knows Pascal VOC's masks, CVAT among them.
Source: Everingham et al. 2010.
"""

import io
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image

from pickwell.errors import LabelError
from pickwell.formats.exchange.colour_tables import Colour, Table, colours, label_map_file
from pickwell.formats.exchange.found import SEGMENTATION, Codes, Context, Found, Labelled, Size
from pickwell.formats.exchange.mask_pictures import is_grey, masks_below, numbers
from pickwell.formats.exchange.names import Places
from pickwell.formats.exchange.paths import appearing, save
from pickwell.labels import IGNORE_INDEX
from pickwell.tasks.segmentation.label_maps import Mask

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


def _load(path: Path, table: Table) -> Callable[[Size], Codes]:
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
    # Readers of VOC refuse a colour that no line declares; 255 is void.
    declared = [*enumerate(context.classes), (IGNORE_INDEX, "void")]
    lines = [f"{name}:{','.join(map(str, voc_colour(index)))}::\n" for index, name in declared]
    with appearing(out) as folder:
        save(folder / _TABLE, ("# label:color_rgb:parts:actions\n" + "".join(lines)).encode())
        for one in labelled:
            save(folder / _MASKS / places.of(one.name), palette_png(one.mask()))
        listed = "".join(f"{places.key(one.name)}\n" for one in labelled)
        save(folder / "ImageSets" / "Segmentation" / "train.txt", listed.encode("utf-8", "surrogateescape"))


def voc_colour(index: int) -> Colour:
    """Pascal VOC's colour of an index: its bits dealt out to red, green and blue, most significant first.

    >>> voc_colour(1), voc_colour(15), voc_colour(255)
    ((128, 0, 0), (192, 128, 128), (224, 224, 192))
    """
    red = green = blue = 0
    for bit in range(8):
        red |= (index >> 3 * bit & 1) << 7 - bit
        green |= (index >> 3 * bit + 1 & 1) << 7 - bit
        blue |= (index >> 3 * bit + 2 & 1) << 7 - bit
    return red, green, blue


def palette_png(mask: Mask) -> bytes:
    """The mask as a palette PNG in Pascal VOC's colours; its values are the indices."""
    image = Image.fromarray(mask).convert("L")
    image.putpalette([part for index in range(256) for part in voc_colour(index)])
    out = io.BytesIO()
    image.save(out, "PNG", bits=8)
    return out.getvalue()
