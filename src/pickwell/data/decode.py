"""Bytes of an image to upright RGB: grey, palette, CMYK, alpha, 16-bit and EXIF-rotated ones alike."""

import re
from contextlib import suppress
from typing import NamedTuple

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from pickwell.data.grey_levels import EACH, Greys, extremes, levels
from pickwell.data.image_errors import ImageError, Reason
from pickwell.data.opening import LIMITS, Limits, alone, bounded, opened
from pickwell.data.orientation import jpeg_header, orientation, upright

Pixels = NDArray[np.uint8]
_JPEG = b"\xff\xd8\xff"
_DAMAGE = re.compile("Corrupt JPEG data: (?!.*(extraneous bytes|bad ICC marker))")
"""What libjpeg says of pixels that are lost, rather than of bytes too many."""


def view(data: bytes, size: int, limits: Limits = LIMITS, greys: Greys = EACH) -> Pixels:
    """The image as a network sees it, `(3, size, size)`: short side to `size`, antialiased, then the centre."""
    square, box = _centre(decode(data, size, limits, greys))
    side = min(square.shape[:2])
    if side == size:
        square = square[:side, :side]
    else:
        drawn = Image.fromarray(np.ascontiguousarray(square))
        # Shrunk by whole numbers first; from a gap of 3 on that is not seen (Pillow's documentation).
        square = np.asarray(drawn.resize((size, size), Image.Resampling.BILINEAR, box, reducing_gap=3.0))
    return np.ascontiguousarray(square.transpose(2, 0, 1))


def square(data: bytes, size: int, limits: Limits = LIMITS, greys: Greys = EACH) -> Pixels:
    """The whole image resized into a square, `(3, size, size)`, antialiased; its aspect is lost."""
    drawn = Image.fromarray(np.ascontiguousarray(decode(data, size, limits, greys)))
    pixels = np.asarray(drawn.resize((size, size), Image.Resampling.BILINEAR, reducing_gap=3.0))
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))


def decode(data: bytes, least: int | None = None, limits: Limits = LIMITS, greys: Greys = EACH) -> Pixels:
    """The upright image, `(H, W, 3)`. A JPEG may come smaller, by 2 or more, if no side falls below `least`.

    `greys` is the range of those that are deeper than 8 bits.
    """
    if data.startswith(_JPEG):
        with suppress(ValueError):
            return upright(_fast_jpeg(data, least, "RGB", limits), orientation(jpeg_header(data)))
    with opened(data, limits) as image:
        return upright(_rgb(image, greys), orientation(image))


class Examined(NamedTuple):
    """What an image is: width and height, upright; how many pictures its file holds, of which the first is shown.

    `damage` says what is wrong with one that can be seen nevertheless; `greys` is the range of one of more than 8 bits.
    """

    size: tuple[int, int]
    frames: int = 1
    damage: str = ""
    greys: Greys | None = None


def examine(data: bytes, limits: Limits = LIMITS) -> Examined:
    """What the image is, having made sure that all of it can be decoded; ImageError if not."""
    if not data.startswith(_JPEG):
        return _examined(data, limits)
    try:
        # Grey at an eighth of the size still decodes every entropy-coded bit: what is cut off or damaged shows.
        _fast_jpeg(data, 1, "GRAY", limits)
    except ValueError as error:
        return _second_opinion(data, str(error), limits)
    height, width, _, _ = simplejpeg.decode_jpeg_header(data)
    header = jpeg_header(data)
    return Examined((height, width) if orientation(header) >= 5 else (width, height), getattr(header, "n_frames", 1))


def _second_opinion(data: bytes, said: str, limits: Limits) -> Examined:
    """What Pillow makes of a JPEG of which libjpeg's fast path has `said` something."""
    try:
        return _examined(data, limits)._replace(damage=said if _DAMAGE.match(said) else "")
    except ImageError as error:
        if error.reason == Reason.DAMAGED and said.startswith(("Unsupported JPEG", "Unsupported color")):
            raise ImageError(Reason.UNREAD, said) from error
        raise


def _examined(data: bytes, limits: Limits) -> Examined:
    with opened(data, limits) as image:
        height, width, _ = upright(_rgb(image, EACH), orientation(image)).shape
        greys = extremes(np.asarray(image)) if _deep(image) else None
        return Examined((width, height), _frames(image), greys=greys)


def _frames(image: Image.Image) -> int:
    """How many pictures a loaded image has, as far as can be found out; layers are none."""
    with suppress(Exception):  # a later one may be damaged
        return int(getattr(image, "n_frames", 1)) if image.format != "PSD" else 1
    return 1


def _centre(pixels: Pixels) -> tuple[Pixels, tuple[float, float, float, float]]:
    """The pixels about the centre and the square box within them, which may begin half a pixel in."""
    height, width, _ = pixels.shape
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    x, y = (width - side) % 2 / 2, (height - side) % 2 / 2
    near = pixels[top : top + side + (height - side) % 2, left : left + side + (width - side) % 2]
    return near, (x, y, x + side, y + side)


def _fast_jpeg(data: bytes, least: int | None, colours: str, limits: Limits) -> Pixels:
    """A JPEG by libjpeg's fast path; ValueError where that has anything to say against it, and Pillow decides."""
    height, width, stored, _ = simplejpeg.decode_jpeg_header(data)
    if stored in ("CMYK", "YCCK"):
        raise ValueError("libjpeg rounds inks another way than Pillow")
    bounded(width, height, limits)
    # The scales between 1 and 1/2 cost more than they save: there is no fast transform for them.
    side, factor = (least, 2.0) if least else (0, 1.0)
    wanted = {"colorspace": colours, "min_height": side, "min_width": side, "min_factor": factor}
    with alone(width, height):
        try:
            return np.asarray(simplejpeg.decode_jpeg(data, **wanted))
        except ValueError as error:
            # Many photographs, of well-known data sets too, have some bytes before their end and look as they should.
            if not str(error).endswith("extraneous bytes before marker 0xd9"):
                raise
            return np.asarray(simplejpeg.decode_jpeg(data, **wanted, strict=False))


def _deep(image: Image.Image) -> bool:
    """Whether an image is grey of more than 8 bits."""
    return image.mode.startswith(("I", "F"))


def _rgb(image: Image.Image, greys: Greys) -> Pixels:
    """An opened image of any mode as RGB."""
    if _deep(image):
        return np.repeat(levels(np.asarray(image), greys)[..., None], 3, axis=2)
    if image.has_transparency_data:
        # Below transparent pixels may lie any colour; what people see of them is the page, white.
        drawn = image.convert("RGBA")
        white = Image.new("RGBA", drawn.size, "white")
        white.alpha_composite(drawn)
        image = white
    return np.asarray(image.convert("RGB"))
