"""Images for the browser: decoded, bounded and encoded anew, so that no byte of a stranger's file reaches it."""

import hashlib
import io
import os
from collections import OrderedDict
from dataclasses import dataclass
from enum import StrEnum
from threading import BoundedSemaphore, Lock

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from pickwell.data.decode import decode
from pickwell.data.image_errors import GoneError, ImageError
from pickwell.data.pool import Pool
from pickwell.errors import PoolError

THUMB = 160
SHARP = 256
"""Up to this length a picture is sent without loss: its pixels are shown enlarged."""
NATIVE = 4096
"""Up to this length a picture that somebody draws on is sent at its own size."""
QUALITY = 90
CACHE_BYTES = 48 << 20


class Size(StrEnum):
    """How large a picture is wanted: for a list, or to work on."""

    THUMB = "thumb"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Picture:
    """An encoded image and its media type; `tag` names these very bytes."""

    data: bytes
    media: str
    tag: str


class Pictures:
    """The pool's images at two sizes; those asked for last stay in memory."""

    def __init__(self, pool: Pool, largest: int) -> None:
        self._pool = pool
        self._sizes = {Size.THUMB: THUMB, Size.FULL: largest}
        self._kept: OrderedDict[tuple[int, Size], Picture] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()
        # As many images are decoded at once as there are cores: large ones take much memory.
        self._at_work = BoundedSemaphore(os.cpu_count() or 1)

    def get(self, item: int, size: Size) -> Picture:
        """The picture; PoolError where there is no such item or its file is gone or damaged."""
        with self._lock:
            if found := self._kept.get((item, size)):
                self._kept.move_to_end((item, size))
                return found
        # Outside of the lock: pictures that are ready must not wait for this one.
        with self._at_work:
            picture = self._encoded(item, self._sizes[size])
        with self._lock:
            # Two requests may have encoded the same picture at once.
            if (item, size) not in self._kept:
                self._bytes += len(picture.data)
            self._kept[item, size] = picture
            while self._bytes > CACHE_BYTES:
                self._bytes -= len(self._kept.popitem(last=False)[1].data)
        return picture

    def _encoded(self, item: int, most: int) -> Picture:
        try:
            return encode(decode(self._pool.bytes(item), most, self._pool.limits, self._pool.greys(item)), most)
        except (ImageError, GoneError) as error:
            # Without what is in the file now, and where: whoever swapped it may have put a letter there.
            reason = f": {error.reason}" if isinstance(error, ImageError) else ""
            name = self._pool.item(item).name
            raise PoolError(
                f"the image '{name}' (item {item}) can no longer be read{reason}; put it back as it was"
            ) from error


def encode(pixels: NDArray[np.uint8], most: int) -> Picture:
    """The pixels `(H, W, 3)`, no side longer than `most`: without loss if small, else as a JPEG."""
    height, width, _ = pixels.shape
    if max(height, width) > most:
        scale = most / max(height, width)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        drawn = Image.fromarray(np.ascontiguousarray(pixels)).resize(size, Image.Resampling.BILINEAR, reducing_gap=3.0)
        pixels = np.asarray(drawn)
    # A thumbnail is not enlarged, so it may lose a little.
    if max(pixels.shape[:2]) <= SHARP and most > THUMB:
        Image.fromarray(pixels).save(out := io.BytesIO(), "PNG", compress_level=1)
        data, media = out.getvalue(), "image/png"
    else:
        media = "image/jpeg"
        data = simplejpeg.encode_jpeg(np.ascontiguousarray(pixels), QUALITY, colorsubsampling="420")
    return Picture(data, media, hashlib.sha256(data).hexdigest()[:32])
