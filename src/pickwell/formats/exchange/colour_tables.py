"""Mask files whose values are colours, and the tables that say which class each colour is."""

import re
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pickwell.data.csv_rows import rows
from pickwell.data.decode import decode
from pickwell.data.image_errors import ImageError
from pickwell.data.opening import Limits
from pickwell.errors import LabelError
from pickwell.formats.exchange.found import UNCOVERED, Codes, Size
from pickwell.formats.exchange.paths import PICTURE_BYTES, read, read_text
from pickwell.tasks.segmentation.label_maps import PIXELS

Colour = tuple[int, int, int]
Table = Sequence[tuple[str | None, Colour]]
"""Class names, None for what is to be ignored, and their colours."""


def colours(path: Path, table: Table) -> Callable[[Size], Codes]:
    """Reads a mask file whose values are colours of a table; a colour that is not there is never the nearest one's."""
    return lambda _: _by_colour(_pixels(path), table)


def _pixels(path: Path) -> NDArray[np.uint8]:
    try:
        return decode(read(path, PICTURE_BYTES), limits=Limits(PIXELS, PICTURE_BYTES))
    except ImageError as error:
        raise LabelError(f"the mask cannot be read: {error}") from None


def _by_colour(pixels: NDArray[np.uint8], table: Table) -> Codes:
    """The places of a picture's colours in a table; LabelError with those that are not in it."""
    packed = pixels[..., 0].astype(np.uint32)
    for channel in (1, 2):
        packed <<= 8
        packed |= pixels[..., channel]
    if len(table) >= UNCOVERED:
        raise LabelError(f"the table has {len(table):,} colours; fewer than {UNCOVERED:,} are read")
    # Of all colours, counted from 1: sorting a large picture's pixels would take ten times as long.
    places = np.zeros(1 << 24, dtype=np.uint16)
    for place, (_, colour) in enumerate(table, 1):
        places[_number(colour)] = place
    codes = places[packed]
    if not codes.all():
        raise LabelError(_lost(packed[codes == 0]))
    for name, colour in table:
        place = int(places[_number(colour)])
        other = table[place - 1][0]
        if other != name and (codes == place).any():  # where no pixel has it, it does no harm
            both = f"{name or 'void'!r} and to {other or 'void'!r}"
            raise LabelError(f"the mask has the colour {colour}, which the table gives to {both}")
    codes -= 1
    return Codes(codes, dict(enumerate(name for name, _ in table)))


def _lost(packed: NDArray[np.uint32]) -> str:
    """The sentence about colours that are not in a table, the commonest first."""
    values, counts = np.unique(packed, return_counts=True)
    lost = sorted(zip(counts.tolist(), values.tolist(), strict=True), reverse=True)
    most = ", ".join(f"{c >> 16},{c >> 8 & 255},{c & 255} ({n:,} pixels)" for n, c in lost[:5])
    return f"the mask has {len(lost)} colours that are not in the table: {most}"


def _number(colour: Colour) -> int:
    red, green, blue = colour
    return red << 16 | green << 8 | blue


def label_colors(path: Path) -> Table:
    """CamVid's label_colors.txt: `r g b name` a line; its Void is to be ignored."""
    lines = [line.split(maxsplit=3) for line in read_text(path).splitlines() if line.strip()]
    return [_entry(path, parts[3].strip() if len(parts) == 4 else "", parts[:3]) for parts in lines]


def class_dict(path: Path) -> Table:
    """CamVid's class_dict.csv: `name,r,g,b` with a header line."""
    return [_entry(path, parts[0].strip(), parts[1:4]) for _, parts in islice(rows(path), 1, None)]


def label_map_file(path: Path) -> Table:
    """CVAT's labelmap.txt: `name:r,g,b:parts:actions` a line, `#` begins a comment."""
    lines = [line.split(":") for line in read_text(path).splitlines() if line.strip() and not line.startswith("#")]
    return [_entry(path, parts[0].strip(), parts[1].split(",") if len(parts) > 1 else []) for parts in lines]


def _entry(path: Path, name: str, said: Sequence[str]) -> tuple[str | None, Colour]:
    if not name or len(said) != 3 or not all(re.fullmatch(r"\s*[0-9]{1,3}\s*", part) for part in said):
        raise LabelError(f"{path} has a line without a name and three numbers (name {name!r}); mend it")
    red, green, blue = (int(part) for part in said)
    if max(red, green, blue) > 255:
        raise LabelError(f"{path} gives {name} the colour {red},{green},{blue}; numbers go from 0 to 255")
    return (None if name.casefold() == "void" else name), (red, green, blue)
