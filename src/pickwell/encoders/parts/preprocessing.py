"""An upright image as a network's square, in Pillow's arithmetic on bytes."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

from pickwell.encoders.encoder import Pixels

Interpolation = Literal["bilinear", "bicubic"]


@dataclass(frozen=True, slots=True)
class Square:
    """`(H, W, 3)` to `(size, size, 3)`, antialiased: a square about the centre, or the whole image.

    `crop` is the square's side as a share of the image's short side; None squeezes the whole image, so that its aspect
    is lost.
    """

    size: int
    crop: float | None
    interpolation: Interpolation

    @property
    def least(self) -> int:
        """No short side need be larger for this."""
        return math.ceil(self.size / (self.crop or 1))

    def __call__(self, pixels: Pixels) -> Pixels:
        drawn = Image.fromarray(np.ascontiguousarray(pixels))
        box = (0.0, 0.0, float(drawn.width), float(drawn.height))
        if self.crop is not None:
            side = self.crop * min(drawn.size)
            left, top = (drawn.width - side) / 2, (drawn.height - side) / 2
            box = (left, top, left + side, top + side)
        method = Image.Resampling[self.interpolation.upper()]
        # Shrunk by whole numbers first; from a gap of 3 on that is not seen (Pillow's documentation).
        return np.asarray(drawn.resize((self.size, self.size), method, box, reducing_gap=3.0))
