"""PNG masks whose values are class indices: one file an image, its name with the ending .png.

Use when: a training script wants plain label maps; the layout that `pickwell init --masks` takes.
Source: ours.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from pickwell.formats.exchange.found import SEGMENTATION, Context, Found, Labelled
from pickwell.formats.exchange.mask_pictures import masks_below, numbers, renumbered
from pickwell.formats.exchange.names import Places
from pickwell.formats.exchange.paths import appearing, save
from pickwell.labels import IGNORE_INDEX

TASKS = (SEGMENTATION,)


def read(where: Path, context: Context) -> list[Found]:
    """The masks below a folder. Values are the class list's places; the campaign's void values and 255 are ignored."""
    return masks_below(where, "", partial(numbers, names=indices(context)))


def indices(context: Context) -> dict[int, str | None]:
    """Which class each value of a mask means: void values are left out of the counting."""
    free = [value for value in range(IGNORE_INDEX) if value not in context.void]
    classes: dict[int, str | None] = dict(zip(free, context.classes, strict=False))
    return classes | dict.fromkeys((*context.void, IGNORE_INDEX))


def write(out: Path, labelled: Sequence[Labelled], context: Context) -> None:
    """Writes a folder of masks; 255 is what is ignored."""
    places = Places([one.name for one in labelled])
    values = [value for value, name in indices(context).items() if name is not None]
    with appearing(out) as folder:
        for one in labelled:
            save(folder / places.of(one.name), renumbered(one.mask(), values, IGNORE_INDEX))
