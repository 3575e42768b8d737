"""The one thing of EXIF that matters here: which way up."""

import struct

import numpy as np
from numpy.typing import NDArray

_ORIENTATION = 0x0112


def jpeg_orientation(data: bytes) -> int:
    """The EXIF orientation 1-8 of a JPEG; 1 where none is given or its EXIF block is damaged."""
    at = 2
    # EXIF lies before the picture, which the marker 0xDA begins.
    while len(data) > at + 4 and data[at] == 0xFF and data[at + 1] != 0xDA:
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if data[at + 1] == 0xE1 and data[at + 4 : at + 10] == b"Exif\0\0":
            return orientation(data[at + 10 : at + 2 + length])
        at += 2 + length
    return 1


def orientation(exif: bytes) -> int:
    """The orientation 1-8 in an EXIF block, with or without its `Exif` mark; 1 where there is none.

    >>> orientation(b"II*" + bytes([0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0]))
    6
    """
    exif = exif.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(order + "I", exif, 4)
        (count,) = struct.unpack_from(order + "H", exif, start)
        for entry in range(start + 2, start + 2 + 12 * count, 12):
            tag, _, _, value = struct.unpack_from(order + "HHIH", exif, entry)
            if tag == _ORIENTATION:
                return value if 1 <= value <= 8 else 1
    except struct.error:
        pass
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
