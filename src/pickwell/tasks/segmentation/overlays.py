"""Scenes drawn to be looked at: a mask's classes, or a prediction's uncertainty, over the photograph."""

from collections.abc import Sequence
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pickwell.report.chart_style import RAMP
from pickwell.tasks.segmentation.label_maps import Mask

Pixels = NDArray[np.uint8]
"""A photograph, `(H, W, 3)`."""

LONGEST = 360
"""Pixels of a picture's longer side: four side by side on a page, sharp enough on most screens."""

OVER = 0.68
"""How much of a picture's colour is what is drawn over the photograph."""
GREYS = (50.0, 180.0)
"""What black and white of the photograph become below it: of more contrast, alike colours could not be told apart."""
DIM = 0.35
"""How much of the photograph is left where a mask says nothing."""


def shrunk(pixels: Pixels, longest: int = LONGEST) -> Pixels:
    """The photograph, at most so many pixels long."""
    return np.asarray(Image.fromarray(pixels).resize(_size(pixels, longest), Image.Resampling.LANCZOS))


def over_classes(photograph: Pixels, mask: Mask, colours: Sequence[str]) -> Pixels:
    """The classes of a mask in their colours over a photograph of any size; what is void is dark."""
    table = np.zeros((256, 3))
    table[: len(colours)] = [_rgb(colour) for colour in colours]
    # Nearest: between two classes there is none.
    fitted = _fitted(mask, photograph, Image.Resampling.NEAREST)
    grey = _grey(photograph)
    drawn = OVER * table[fitted] + (1 - OVER) * grey
    return _bytes(np.where((fitted >= len(colours))[..., None], DIM * grey, drawn))


def over_heat(photograph: Pixels, uncertainty: Pixels) -> Pixels:
    """A map of uncertainty, 0 to 255, in the colours of `RAMP` over a photograph of any size."""
    fitted = _fitted(uncertainty, photograph, Image.Resampling.BILINEAR) / 255
    stops = np.array([_rgb(colour) for colour in RAMP])
    places = np.linspace(0, 1, len(stops))
    heat = np.stack([np.interp(fitted, places, channel) for channel in stops.T], axis=-1)
    return _bytes(OVER * heat + (1 - OVER) * _grey(photograph))


def packed(pixels: Pixels) -> bytes:
    """The picture as WebP."""
    kept = BytesIO()
    Image.fromarray(pixels).save(kept, "WEBP", quality=72, method=4)
    return kept.getvalue()


def _size(pixels: Pixels, longest: int) -> tuple[int, int]:
    height, width = pixels.shape[:2]
    scale = min(1.0, longest / max(height, width))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _fitted(plane: Pixels, photograph: Pixels, how: Image.Resampling) -> Pixels:
    height, width = photograph.shape[:2]
    return np.asarray(Image.fromarray(plane).resize((width, height), how))


def _grey(photograph: Pixels) -> NDArray[np.float64]:
    grey = np.asarray(Image.fromarray(photograph).convert("L"), dtype=np.float64)[..., None]
    return GREYS[0] + grey / 255 * (GREYS[1] - GREYS[0])


def _rgb(colour: str) -> tuple[int, int, int]:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return red, green, blue


def _bytes(values: NDArray[np.float64]) -> Pixels:
    return values.round().clip(0, 255).astype(np.uint8)
