"""Which way up an image is, by Exif or XMP."""

import io
import re

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image
from PIL.JpegImagePlugin import jpeg_factory

_SEGMENT = re.compile(rb"\xff+([^\0\xff])(..)(M?P?F?)", re.DOTALL)
_APP1, _APP2, _PICTURE = 0xE1, 0xE2, 0xDA


def jpeg_header(data: bytes) -> Image.Image | None:
    """The header of a JPEG as Pillow reads it, None where nothing there has Exif, XMP or further pictures.

    Most files have none of them, and Pillow takes as long for a header as for a thumbnail's pixels.
    """
    at = 2
    while (found := _SEGMENT.search(data, at)) and found[1][0] != _PICTURE:
        if found[1][0] == _APP1 or (found[1][0] == _APP2 and found[3] == b"MPF"):
            try:
                return jpeg_factory(io.BytesIO(data))
            except Exception:  # damaged files make Pillow raise nearly anything
                return None
        at = found.start(2) + int.from_bytes(found[2], "big")
    return None


def orientation(image: Image.Image | None) -> int:
    """The orientation 1-8 of an opened image that has not turned itself; 1 where there is none."""
    try:
        turned = image.getexif()[ExifTags.Base.Orientation] if image else 1
        return int(turned) if turned in range(1, 9) else 1
    except Exception:  # as above, and where it says nothing
        return 1


def upright(pixels: NDArray[np.uint8], turned: int) -> NDArray[np.uint8]:
    """Pixels `(H, W, 3)` stored with orientation `turned`, as they should be seen; a view, not a copy."""
    if turned >= 5:
        pixels = pixels.swapaxes(0, 1)
    if turned in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if turned in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels
