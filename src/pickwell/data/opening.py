"""Bytes of an image to what Pillow opens, or to the reason why nothing does."""

import ctypes
import io
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from re import compile as pattern
from threading import Lock
from zlib import crc32

from PIL import Image, ImageFile, _imaging
from PIL.PngImagePlugin import PngImageFile

from pickwell.data.image_errors import ImageError, Reason
from pickwell.data.kinds import reader


@dataclass(frozen=True, slots=True)
class Limits:
    """How large an image may be: decoded, in pixels (against decompression bombs), and as a file, in bytes.

    The number of pixels is the one at which Pillow itself refuses an image: twice its MAX_IMAGE_PIXELS.
    """

    pixels: int = 178_956_970
    bytes: int = 1 << 29


LIMITS = Limits()
_LARGE = 1 << 24
_one_large = Lock()
_TRUNCATED = ("truncat", "unexpected end", "not enough image data")
_UNSUPPORTED = ("unsupported", "unknown", "not available", "cannot handle", "unrecognized", "not implemented")
_TEXTS = (b"tEXt", b"zTXt", b"iTXt", b"iCCP")
_TURNING = (b"XML:com.adobe.xmp", b"Raw profile type exif", b"exif")
_QUIET = ("ignore", None, Warning, pattern(r"PIL\."), 0)
"""What `filterwarnings` puts into the list of filters, to be known again there."""


def _silence_libtiff() -> None:
    """Keeps libtiff from writing about damaged files to stderr, past Python; the errors themselves still come."""
    with suppress(AttributeError, OSError):  # where Pillow has it built in
        library = ctypes.CDLL(_imaging.__file__)
        library.TIFFSetErrorHandler(None)
        library.TIFFSetWarningHandler(None)


_silence_libtiff()


@contextmanager
def opened(data: bytes, limits: Limits) -> Iterator[ImageFile.ImageFile]:
    """The image, loaded, for the block; whatever goes wrong with it there becomes an ImageError."""
    if not data:
        raise ImageError(Reason.EMPTY)
    kind = reader(data)
    # Put to the front again and never taken away: `catch_warnings` would not be safe among threads.
    if warnings.filters[:1] != [_QUIET]:
        warnings.filterwarnings("ignore", module=r"PIL\.")
    try:
        with kind(io.BytesIO(_without_texts(data) if kind is PngImageFile else data)) as image:
            bounded(*image.size, limits)
            with alone(*image.size):
                image.load()
                yield image
    except ImageError:
        raise
    except MemoryError as error:
        raise ImageError(Reason.TOO_LARGE, "not enough memory") from error
    except Exception as error:  # damaged files make Pillow raise nearly anything
        raise ImageError(_why(error), str(error) or type(error).__name__) from error


def alone(width: int, height: int) -> AbstractContextManager[object]:
    """Lets one large image at a time into the block, so that memory does not grow with the threads."""
    return _one_large if width * height > _LARGE else nullcontext()


def bounded(width: int, height: int, limits: Limits) -> None:
    """Refuses an image of more pixels than are decoded, or of none."""
    if width * height > limits.pixels:
        raise ImageError(Reason.TOO_LARGE, f"{width} x {height} pixels; at most {limits.pixels:,} are decoded")
    if not width or not height:
        raise ImageError(Reason.DAMAGED, f"{width} x {height} pixels")


def _without_texts(png: bytes) -> bytes:
    """A PNG without texts and colour profiles, for whose length Pillow would refuse it; what may turn it stays."""
    kept, at = [png[:8]], 8
    while at < len(png):
        end = at + 12 + _number(png[at : at + 4])
        kind, body = png[at + 4 : at + 8], png[at + 8 : end - 4]
        # What is damaged stays, too, to be found so.
        if kind not in _TEXTS or body.startswith(_TURNING) or crc32(kind + body) != _number(png[end - 4 : end]):
            kept.append(png[at:end])
        at = end
    return b"".join(kept)


def _number(four: bytes) -> int:
    return int.from_bytes(four, "big")


def _why(error: Exception) -> Reason:
    words = str(error).lower()
    if isinstance(error, Image.DecompressionBombError):
        return Reason.TOO_LARGE
    if isinstance(error, EOFError) or any(word in words for word in _TRUNCATED):
        return Reason.TRUNCATED
    return Reason.UNREAD if any(word in words for word in _UNSUPPORTED) else Reason.DAMAGED
