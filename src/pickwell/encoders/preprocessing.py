"""An upright image as a network's square, in Pillow's arithmetic on bytes."""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

from pickwell.encoders.encoder import Pixels


@dataclass(frozen=True, slots=True)
class Square:
    """`(H, W, 3)` to `(size, size, 3)`, bicubic and antialiased: the whole image, or a square about its centre.

    `crop` is that square's side as a share of the image's short side; None squeezes the whole image, and its aspect is
    lost.
    """

    size: int
    crop: float | None = None

    @property
    def least(self) -> int:
        """No short side need be larger for this."""
        return math.ceil(self.size / (self.crop or 1))

    def __call__(self, pixels: Pixels) -> Pixels:
        height, width, _ = pixels.shape
        box = (0.0, 0.0, float(width), float(height))
        if self.crop is not None:
            side = self.crop * min(height, width)
            left, top = (width - side) / 2, (height - side) / 2
            box = (left, top, left + side, top + side)
        drawn = Image.fromarray(np.ascontiguousarray(pixels))
        # Shrunk by whole numbers first; from a gap of 3 on that is not seen (Pillow's documentation).
        return np.asarray(drawn.resize((self.size, self.size), Image.Resampling.BICUBIC, box, reducing_gap=3.0))
