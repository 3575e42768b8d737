"""Bytes of an image to upright RGB: grey, palette, CMYK, alpha, 16-bit and EXIF-rotated ones alike."""

import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from re import compile as pattern
from threading import Lock

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image, ImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from pickwell.data.boxed_images import reader
from pickwell.data.image_errors import ImageError, Reason
from pickwell.data.orientation import jpeg_orientation, orientation, upright

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Limits:
    """How large an image may be: decoded, in pixels (against decompression bombs), and as a file, in bytes.

    The number of pixels is the one at which Pillow itself refuses an image: twice its MAX_IMAGE_PIXELS.
    """

    pixels: int = 178_956_970
    bytes: int = 1 << 29


LIMITS = Limits()
# Above this many pixels only one image at a time is decoded, so that memory does not grow with the threads.
_LARGE = 1 << 24
_one_large = Lock()
# Pillow's classes are called directly: `Image.open` would warn of large images by a process-wide setting.
_KINDS: dict[bytes, Callable[[io.BytesIO], ImageFile.ImageFile]] = {
    b"\xff\xd8\xff": JpegImageFile,
    b"\x89PNG\r\n\x1a\n": PngImageFile,
    b"GIF8": GifImageFile,
    b"BM": BmpImageFile,
    **dict.fromkeys((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), TiffImageFile),
    b"RIFF": WebPImageFile,
}
_QUIET = ("ignore", None, Warning, pattern(r"PIL\."), 0)
"""What `filterwarnings` puts into the list of filters, to be known again there."""


def view(data: bytes, size: int, limits: Limits = LIMITS) -> Pixels:
    """The image as a network sees it, `(3, size, size)`: short side to `size`, antialiased, then the centre."""
    square, box = _centre(decode(data, size, limits))
    side = min(square.shape[:2])
    if side == size:
        square = square[:side, :side]
    else:
        drawn = Image.fromarray(np.ascontiguousarray(square))
        # Shrunk by whole numbers first; from a gap of 3 on that is not seen (Pillow's documentation).
        square = np.asarray(drawn.resize((size, size), Image.Resampling.BILINEAR, box, reducing_gap=3.0))
    return np.ascontiguousarray(square.transpose(2, 0, 1))


def square(data: bytes, size: int, limits: Limits = LIMITS) -> Pixels:
    """The whole image resized into a square, `(3, size, size)`, antialiased; its aspect is lost."""
    drawn = Image.fromarray(np.ascontiguousarray(decode(data, size, limits)))
    pixels = np.asarray(drawn.resize((size, size), Image.Resampling.BILINEAR, reducing_gap=3.0))
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))


def decode(data: bytes, least: int | None = None, limits: Limits = LIMITS) -> Pixels:
    """The upright image, `(H, W, 3)`. A JPEG may come smaller, by 2 or more, if no side falls below `least`."""
    if data[:3] == b"\xff\xd8\xff":
        return upright(_jpeg(data, least, "RGB", limits), jpeg_orientation(data))
    return _pillow(data, limits)


def measure(data: bytes, limits: Limits = LIMITS) -> tuple[int, int]:
    """Width and height of the upright image, having made sure that all of it can be decoded."""
    if data[:3] != b"\xff\xd8\xff":
        height, width, _ = _pillow(data, limits).shape
        return width, height
    # Grey at an eighth of the size still decodes every entropy-coded bit: what is cut off or damaged shows.
    width, height = _jpeg_size(data, limits)
    _jpeg(data, 1, "GRAY", limits)
    return (height, width) if jpeg_orientation(data) >= 5 else (width, height)


def _centre(pixels: Pixels) -> tuple[Pixels, tuple[float, float, float, float]]:
    """The pixels about the centre and the square box within them, which may begin half a pixel in."""
    height, width, _ = pixels.shape
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    x, y = (width - side) % 2 / 2, (height - side) % 2 / 2
    near = pixels[top : top + side + (height - side) % 2, left : left + side + (width - side) % 2]
    return near, (x, y, x + side, y + side)


def _jpeg_size(data: bytes, limits: Limits) -> tuple[int, int]:
    try:
        height, width, _, _ = simplejpeg.decode_jpeg_header(data)
    except ValueError:  # a rare subsampling, or no JPEG: Pillow knows more of them
        with _opened(data, limits) as image:
            width, height = image.size
    _bounded(width, height, limits)
    return width, height


def _jpeg(data: bytes, least: int | None, colours: str, limits: Limits) -> Pixels:
    """A JPEG by libjpeg's fast path, or by Pillow where that does not know it."""
    try:
        height, width, _, _ = simplejpeg.decode_jpeg_header(data)
        _bounded(width, height, limits)
        with _one_large if width * height > _LARGE else nullcontext():
            return _strict_jpeg(data, least, colours)
    except ValueError as error:
        if isinstance(error, ImageError):
            raise
        return _second_opinion(data, str(error), limits)


def _strict_jpeg(data: bytes, least: int | None, colours: str) -> Pixels:
    # The scales between 1 and 1/2 cost more than they save: there is no fast transform for them.
    side, factor = (least, 2.0) if least else (0, 1.0)
    wanted = {"colorspace": colours, "min_height": side, "min_width": side, "min_factor": factor}
    try:
        return np.asarray(simplejpeg.decode_jpeg(data, **wanted))
    except ValueError as error:
        if "extraneous bytes" not in str(error):
            raise
        # Many photographs, of well-known data sets too, have such bytes before their end and look as they should.
        return np.asarray(simplejpeg.decode_jpeg(data, **wanted, strict=False))


def _second_opinion(data: bytes, said: str, limits: Limits) -> Pixels:
    """What Pillow makes of a JPEG that libjpeg's fast path refuses; damage that it would overlook is not asked."""
    if "Premature end" in said or "premature end" in said:
        raise ImageError(Reason.TRUNCATED, said)
    if "Corrupt JPEG data" in said:
        raise ImageError(Reason.DAMAGED, said)
    return _pillow(data, limits)


def _pillow(data: bytes, limits: Limits) -> Pixels:
    with _opened(data, limits) as image:
        large = image.width * image.height > _LARGE
        with _one_large if large else nullcontext():
            image.load()
            pixels = _rgb(image)
        # JPEG is turned by the caller, TIFF and HEIC have turned themselves in load().
        exif = image.info.get("exif", b"") if image.format in ("PNG", "WEBP", "AVIF") else b""
        return upright(pixels, orientation(exif))


@contextmanager
def _opened(data: bytes, limits: Limits) -> Iterator[ImageFile.ImageFile]:
    """Opens the image; whatever goes wrong with it inside the block becomes an ImageError."""
    if not data:
        raise ImageError(Reason.EMPTY)
    kind = reader(data) or next((kind for mark, kind in _KINDS.items() if data.startswith(mark)), None)
    if kind is None or (kind is WebPImageFile and data[8:12] != b"WEBP"):
        raise ImageError(Reason.NOT_AN_IMAGE, f"it begins with {data[:8]!r}")
    # Put to the front again and never taken away: `catch_warnings` would not be safe among threads.
    if warnings.filters[:1] != [_QUIET]:
        warnings.filterwarnings("ignore", module=r"PIL\.")
    try:
        with kind(io.BytesIO(data)) as image:
            _bounded(*image.size, limits)
            yield image
    except ImageError:
        raise
    except MemoryError as error:
        raise ImageError(Reason.TOO_LARGE, "not enough memory") from error
    except Exception as error:  # damaged files make Pillow raise nearly anything
        raise ImageError(_why(error), str(error) or type(error).__name__) from error


def _why(error: Exception) -> Reason:
    words = str(error).lower()
    cut = isinstance(error, EOFError) or any(w in words for w in ("truncat", "unexpected end", "not enough image data"))
    return Reason.TRUNCATED if cut else Reason.DAMAGED


def _bounded(width: int, height: int, limits: Limits) -> None:
    if width * height > limits.pixels:
        raise ImageError(Reason.TOO_LARGE, f"{width} x {height} pixels; at most {limits.pixels:,} are decoded")
    if not width or not height:
        raise ImageError(Reason.DAMAGED, f"{width} x {height} pixels")


def _rgb(image: Image.Image) -> Pixels:
    """An opened image of any mode as RGB."""
    if image.mode.startswith(("I", "F")):
        return np.repeat(_levels(np.asarray(image))[..., None], 3, axis=2)
    if image.has_transparency_data:
        # Below transparent pixels may lie any colour; what people see of them is the page, white.
        drawn = image.convert("RGBA")
        white = Image.new("RGBA", drawn.size, "white")
        white.alpha_composite(drawn)
        image = white
    return np.asarray(image.convert("RGB"))


def _levels(values: NDArray[np.generic]) -> Pixels:
    """16-bit, 32-bit and real grey values as 0-255: by the smallest usual range that holds them, else by their own."""
    if np.issubdtype(values.dtype, np.unsignedinteger):
        return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)  # v x 255 / 65535, rounded
    grey = np.nan_to_num(values.astype(np.float64), posinf=0.0, neginf=0.0)
    low, high = float(grey.min()), float(grey.max())
    top = next((t for t in (1.0, 255.0, 65535.0) if low >= 0 and high <= t), None)
    if top is None:
        grey, top = grey - low, (high - low) or 1.0
    return np.rint(grey * (255.0 / top)).astype(np.uint8)
