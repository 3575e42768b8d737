"""PNG masks whose values are class indices: one file an image, its name with the ending .png.

Use when: a training script wants plain label maps; the layout that `pickwell init --masks` takes.
Source: ours.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from pickwell.formats.exchange.found import SEGMENTATION, Codes, Context, Found, Labelled, Size
from pickwell.formats.exchange.mask_pictures import masks_below, numbers, renumbered
from pickwell.formats.exchange.names import Places
from pickwell.formats.exchange.paths import PICTURE_BYTES, appearing, save
from pickwell.formats.exchange.paths import read as read_bytes
from pickwell.labels import IGNORE_INDEX

TASKS = (SEGMENTATION,)


def read(where: Path, context: Context) -> list[Found]:
    """The masks below a folder. Values mean what they do in the masks that the campaign was made with."""
    return masks_below(where, "", partial(own, context=context))


def own(path: Path, context: Context) -> Callable[[Size], Codes]:
    """Reads a mask file whose values are the campaign's own: numbers, or colours if these were given."""
    values = context.values
    if not values.coloured:
        return numbers(path, indices(context))
    names: dict[int, str | None] = {**dict(enumerate(context.classes)), IGNORE_INDEX: None}
    return lambda _: Codes(values.label_map(values.pixels(read_bytes(path, PICTURE_BYTES))), names)


def indices(context: Context) -> dict[int, str | None]:
    """Which class each number of a mask means, None for void."""
    meanings = enumerate(context.values.table.tolist())
    return {value: context.classes[m] if m != IGNORE_INDEX else None for value, m in meanings if m >= 0}


def write(out: Path, labelled: Sequence[Labelled], context: Context) -> None:
    """Writes a folder of masks that `read` reads; 255 is what is ignored, unless the campaign gave it to a class."""
    places = Places([one.name for one in labelled])
    *values, void = context.values.numbers
    with appearing(out) as folder:
        for one in labelled:
            save(folder / places.of(one.name), renumbered(one.mask(), values, void))
