"""Which kind of image some bytes are, and what of Pillow reads it."""

import io
from collections.abc import Callable

from PIL.BmpImagePlugin import BmpImageFile
from PIL.DdsImagePlugin import DdsImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile
from PIL.JpegImagePlugin import jpeg_factory
from PIL.PcxImagePlugin import PcxImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.PpmImagePlugin import PpmImageFile
from PIL.PsdImagePlugin import PsdImageFile
from PIL.QoiImagePlugin import QoiImageFile
from PIL.SgiImagePlugin import SgiImageFile
from PIL.TgaImagePlugin import TgaImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from pickwell.data import boxed_images
from pickwell.data.image_errors import ImageError, Reason

Reader = Callable[[io.BytesIO], ImageFile]

# Pillow's classes are called directly: `Image.open` would warn of large images by a process-wide setting.
_READ: dict[bytes, Reader] = {
    b"\xff\xd8\xff": jpeg_factory,
    b"\x89PNG\r\n\x1a\n": PngImageFile,
    b"GIF8": GifImageFile,
    b"BM": BmpImageFile,
    **dict.fromkeys((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), TiffImageFile),
    **dict.fromkeys((b"\0\0\0\x0cjP  ", b"\xffO\xffQ"), Jpeg2KImageFile),
    **dict.fromkeys((b"P%c%c" % (kind, space) for kind in b"123456f" for space in b"\n \t\r"), PpmImageFile),
    **dict.fromkeys((b"\n%c\1" % version for version in (0, 2, 3, 5)), PcxImageFile),
    b"8BPS": PsdImageFile,
    b"\x01\xda": SgiImageFile,
    b"qoif": QoiImageFile,
    b"DDS ": DdsImageFile,
}
_TGA = frozenset(b"%c%c" % (palette, kind) for palette in (0, 1) for kind in (1, 2, 3, 9, 10, 11))
"""What stands after the first byte of a TGA, which has no mark of its own: whether it has a palette, and its kind."""
_UNREAD = {
    **dict.fromkeys((b"\xff\n", b"\0\0\0\x0cJXL "), "JPEG XL"),
    b"v/1\1": "OpenEXR",
    b"#?RADIANCE": "Radiance HDR",
    b"SIMPLE  =": "FITS",
    **dict.fromkeys((b"<svg", b"<?xml"), "SVG"),
    **dict.fromkeys((b"%PDF", b"%!PS"), "document"),
    **dict.fromkeys((b"\0\0\1\0", b"\0\0\2\0"), "icon"),
}
"""Kinds that nothing here reads, by what they begin with."""


def reader(data: bytes) -> Reader:
    """What opens the image; ImageError with its kind, where that is known but not read, if nothing does."""
    if kind := boxed_images.reader(data) or next((kind for mark, kind in _READ.items() if data.startswith(mark)), None):
        return kind
    if data[8:12] == b"WEBP":
        return WebPImageFile
    if data[1:3] in _TGA and data[16:17] in (b"\1", b"\x08", b"\x0f", b"\x10", b"\x18", b"\x20"):
        return TgaImageFile
    unread = "DICOM" if data[128:132] == b"DICM" else None
    if unread := next((name for mark, name in _UNREAD.items() if data.startswith(mark)), unread):
        raise ImageError(unread, "nothing here reads such; convert it to PNG or JPEG")
    raise ImageError(Reason.NOT_AN_IMAGE, f"it begins with {data[:8]!r}")
