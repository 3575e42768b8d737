"""Small pictures of a pool's images."""

from io import BytesIO

from PIL import Image

from pickwell.data.pool import Pool
from pickwell.errors import PoolError

THUMBNAIL = 96
"""Pixels a side of a gallery's pictures."""


def thumbnail(pool: Pool, item: int) -> bytes:
    """The image as a small WebP; nothing where it can be read no more."""
    width, height = pool.manifest.sizes([item])[0].tolist()
    try:
        pixels = pool.view(item, min(THUMBNAIL, max(8, width, height)))
    except PoolError:
        return b""  # the picture is gone; its name and score still tell
    kept = BytesIO()
    Image.fromarray(pixels.transpose(1, 2, 0)).save(kept, "WEBP", quality=80)
    return kept.getvalue()
