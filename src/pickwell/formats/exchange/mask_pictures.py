"""Mask files whose values are numbers: to codes, and back."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from pickwell.formats.exchange.found import Codes, Found, Size
from pickwell.formats.exchange.paths import PICTURE_BYTES, files_below, read
from pickwell.labels import IGNORE_INDEX
from pickwell.tasks.segmentation.label_maps import Mask, decode, encode


def numbers(path: Path, names: Mapping[int, str | None]) -> Callable[[Size], Codes]:
    """Reads a mask file whose values are numbers; which class each is, `names` says."""
    return lambda _: Codes(decode(read(path, PICTURE_BYTES)), names)


def masks_below(
    where: Path, folder: str, load: Callable[[Path], Callable[[Size], Codes]], ending: str = ".png", before: str = ""
) -> list[Found]:
    """The masks below a folder of `where`: an image's name is `before` and the name of its mask without the ending."""
    return [
        Found(before + name.removesuffix(ending), load=load(path), where=path.relative_to(where).as_posix())
        for name, path in files_below(where / folder, ending)
    ]


def is_grey(path: Path) -> bool:
    """Whether a PNG has numbers rather than colours: grey without a palette."""
    # The colour type is the 26th byte of a PNG.
    return read(path, PICTURE_BYTES)[25:26] == b"\0"


def renumbered(mask: Mask, numbers_of: Sequence[int], ignored: int) -> bytes:
    """The PNG of a label map in another numbering: class i becomes `numbers_of[i]`, what is ignored `ignored`."""
    table = np.full(256, ignored, dtype=np.uint8)
    table[: len(numbers_of)] = numbers_of
    table[IGNORE_INDEX] = ignored
    return encode(table[mask])
