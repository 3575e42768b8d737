"""Greys of more than 8 bits as 0-255."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pickwell.errors import SettingsError


class Greys(NamedTuple):
    """The values that are shown black and white; those beyond are, too."""

    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}"

    @classmethod
    def parse(cls, text: str) -> "Greys":
        """What `HIGH` or `LOW:HIGH` stand for.

        >>> print(Greys.parse("4095"), Greys.parse("-1000:400"))
        0 to 4095 -1000 to 400
        """
        low, _, high = text.rpartition(":")
        with suppress(ValueError):
            found = cls(float(low or 0), float(high))
            if -np.inf < found.low < found.high < np.inf:
                return found
        raise SettingsError(
            f"greys '{text}': give the value that is white, e.g. 4095, or black and white with a colon, -1000:400"
        )


EACH = Greys(0.0, 0.0)
"""Each image by its own values: 16 bits by all that they can hold, others by the smallest usual range or else all.

So it is where nobody knew more: outside of a pool, and in pools made before ranges were guessed.
"""


def extremes(values: NDArray[Any]) -> Greys:
    """The lowest and the highest value; nothing but numbers counts, and none is 0."""
    finite = values[np.isfinite(values)] if np.issubdtype(values.dtype, np.floating) else values
    return Greys(float(finite.min()), float(finite.max())) if finite.size else Greys(0.0, 0.0)


def guessed(found: Iterable[Greys]) -> Greys:
    """The range that suits images with such extremes: real ones 0 to 1, else so many bits, or as far as they go.

    >>> print(guessed([Greys(3, 4000), Greys(0, 700)]), guessed([Greys(0, 0.9)]), guessed([Greys(-1000, 400)]))
    0 to 4095 0 to 1 -1000 to 400
    """
    lows, highs = zip(*found, strict=True)
    low, high = min(lows), max(highs)
    if low < 0:
        return Greys(low, high if high > low else low + 1)
    return Greys(0.0, 1.0 if high <= 1 else 2.0 ** max(8, int(high).bit_length()) - 1)


def levels(values: NDArray[Any], greys: Greys) -> NDArray[np.uint8]:
    """Grey values of any type as 0-255."""
    if values.dtype == np.uint16:
        table = _scaled(np.arange(1 << 16), Greys(0.0, 65535.0) if greys == EACH else greys)
        return np.asarray(table[values])
    values = np.nan_to_num(values.astype(np.float64), posinf=0.0, neginf=0.0)
    if greys == EACH:
        low, high = extremes(values)
        top = next((t for t in (1.0, 255.0, 65535.0) if low >= 0 and high <= t), None)
        greys = Greys(low, high if high > low else low + 1) if top is None else Greys(0.0, top)
    return _scaled(values, greys)


def _scaled(values: NDArray[Any], greys: Greys) -> NDArray[np.uint8]:
    low, high = greys
    grey = np.clip(values - low, 0, high - low) * (255.0 / (high - low))
    return np.asarray(np.rint(grey), np.uint8)
