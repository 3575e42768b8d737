"""What the values of mask files mean: numbers, and colours."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pickwell.data.decode import decode as decode_picture
from pickwell.data.image_errors import ImageError
from pickwell.data.opening import Limits
from pickwell.errors import LabelError, SettingsError, unknown
from pickwell.labels import IGNORE_INDEX, VOID
from pickwell.tasks.segmentation.label_maps import BYTES, PIXELS, Mask, check_values, decode

_COLOUR = re.compile("#[0-9a-f]{6}")
_GREY = 0x010101
_SHOWN = 5


@dataclass(frozen=True)
class MaskValues:
    """What the values of mask files mean: one of so many `classes`, or nothing.

    A class's value is its place in the list, from which `void` values are left out, and 255 is void. Before that come
    `given` values: numbers, or colours such as `#ff0000`, each with the index of a class, or 255 for void. A grey is
    its number. If 255 is given to a class, the largest number that is none's is void.
    """

    classes: int
    void: tuple[int, ...] = ()
    given: tuple[tuple[str, int], ...] = ()

    @classmethod
    def named(cls, classes: Sequence[str], void: tuple[int, ...], given: Mapping[str, str]) -> "MaskValues":
        """The same with the names of classes; SettingsError if one is not there, or a class has no value left."""
        made = cls(len(classes), void, tuple((_value(key), _index(name, classes)) for key, name in given.items()))
        for index in set(range(len(classes))) - {*made.table.tolist(), *(meaning for _, meaning in made.given)}:
            raise SettingsError(f"no value of a mask means '{classes[index]}'; give it one: --mask-values 1=NAME")
        return made

    @cached_property
    def table(self) -> NDArray[np.int16]:
        """What each of the 256 numbers means: an index of a class, 255 for void, -1 for nothing."""
        table = np.full(256, -1, dtype=np.int16)
        free = [value for value in range(IGNORE_INDEX) if value not in self.void]
        table[free[: self.classes]] = np.arange(self.classes)
        table[[*self.void, IGNORE_INDEX]] = IGNORE_INDEX
        given = {code // _GREY: meaning for code, meaning in self._codes.items() if code % _GREY == 0}
        table[list(given)] = list(given.values())
        if IGNORE_INDEX not in table:
            table[np.flatnonzero(table < 0)[-1:]] = IGNORE_INDEX
        return table

    @property
    def numbers(self) -> list[int]:
        """The number that stands for each class and, last, for void, where masks are written."""
        void = np.flatnonzero(self.table == IGNORE_INDEX)[-1]
        return [*(int(np.argmax(self.table == index)) for index in range(self.classes)), int(void)]

    def pixels(self, data: bytes) -> NDArray[np.unsignedinteger]:
        """The values `(H, W)` of a mask's file, where colours are given as `0xRRGGBB`; LabelError if it is none."""
        if not self.coloured:
            return decode(data)
        try:
            rgb = decode_picture(data, limits=Limits(PIXELS, BYTES)).astype(np.uint32)
        except ImageError as error:
            raise LabelError(f"the mask cannot be read ({error}); write it again") from None
        return np.asarray(rgb[..., 0] << 16 | rgb[..., 1] << 8 | rgb[..., 2], np.uint32)

    def label_map(self, pixels: NDArray[np.unsignedinteger]) -> Mask:
        """The label map of a mask's values; LabelError counts those that mean nothing."""
        if not self.coloured:
            numbers = pixels.astype(np.uint8, copy=False)
            check_values(numbers, self.table < 0, self._allowed())
            return np.asarray(self.table.astype(np.uint8)[numbers])
        codes = {value * _GREY: int(self.table[value]) for value in np.flatnonzero(self.table >= 0).tolist()}
        known = sorted((codes | self._codes).items())
        colours, meanings = np.array(known, dtype=np.uint32).T
        places = np.minimum(np.searchsorted(colours, pixels), len(colours) - 1)
        lost, counts = np.unique(pixels[colours[places] != pixels], return_counts=True)
        if len(lost):
            said = ", ".join(f"#{lost[at]:06x} ({counts[at]:,} pixels)" for at in np.argsort(-counts)[:_SHOWN])
            raise LabelError(f"the mask has {len(lost):,} colours that mean nothing: {said}; say what each means")
        return np.asarray(meanings.astype(np.uint8)[places])

    @cached_property
    def _codes(self) -> dict[int, int]:
        """What the given values mean, as `0xRRGGBB`."""
        return {int(key[1:], 16) if key[0] == "#" else int(key) * _GREY: meaning for key, meaning in self.given}

    @property
    def coloured(self) -> bool:
        """Whether files are read as colours rather than as numbers."""
        return any(key[0] == "#" for key, _ in self.given)

    def _allowed(self) -> str:
        void = [value for value in (*self.void, IGNORE_INDEX) if self.table[value] == IGNORE_INDEX]
        if not self.given:
            last = self.numbers[-2] if self.classes else 0
            ignored = " and ".join(str(value) for value in void if value > last)
            return f"the class list allows 0 to {last}, and {ignored} for what is to be ignored"
        allowed = np.flatnonzero((self.table >= 0) & (self.table != IGNORE_INDEX)).tolist()
        ignored = " and ".join(map(str, np.flatnonzero(self.table == IGNORE_INDEX).tolist()))
        return f"allowed are {', '.join(map(str, allowed))}, and {ignored} for what is to be ignored"


def parse(pairs: str) -> dict[str, str]:
    """The values and the names of classes that `VALUE=NAME,...` says; SettingsError names what is none.

    >>> parse("0=background, #FF0000=lesion,255=!unsure")
    {'0': 'background', '#ff0000': 'lesion', '255': '!unsure'}
    """
    found: dict[str, str] = {}
    for pair in pairs.split(","):
        value, _, name = (part.strip() for part in pair.partition("="))
        if not name:
            raise SettingsError(f"mask values '{pair}': give each as VALUE=CLASS, 255=lesion or #ff0000=lesion")
        found[_value(value)] = name
    return found


def _value(text: str) -> str:
    """A value as it is kept: a number from 0 to 255, or a colour in small letters."""
    text = text.strip().lower()
    if _COLOUR.fullmatch(text):
        return text
    if not (text.isdecimal() and text.isascii() and int(text) <= IGNORE_INDEX):
        raise SettingsError(f"'{text}' is no value of a mask; give a number from 0 to 255, or a colour, #rrggbb")
    return str(int(text))


def _index(name: str, classes: Sequence[str]) -> int:
    if name.startswith(VOID):
        return IGNORE_INDEX
    if name not in classes:
        raise SettingsError(unknown("class", name, classes))
    return classes.index(name)
