"""Picked images and scenes as a page shows them."""

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO

from PIL import Image

from pickwell.data.pool import Pool
from pickwell.errors import PoolError

THUMBNAIL = 96
"""Pixels a side of a gallery's pictures."""


@dataclass(frozen=True, slots=True)
class Picked:
    """A picked image: `png` holds a small PNG, JPEG, WebP or GIF, `marked` sets it off (an absent class, say)."""

    item: int
    name: str
    rank: int
    score: float
    label: str | None = None
    png: bytes = b""
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Scene:
    """A picked scene: `pictures` (WebP or PNG) by what they show, and what is to be said of them.

    `score` is None where it is but a random number.
    """

    item: int
    name: str
    rank: int
    score: float | None
    pictures: Mapping[str, bytes]
    words: str = ""


@dataclass(frozen=True, slots=True)
class Gallery:
    """Picked images, or scenes, under a heading, for example one query of one strategy."""

    title: str
    picks: tuple[Picked, ...] = ()
    caption: str = ""
    scenes: tuple[Scene, ...] = ()


def thumbnail(pool: Pool, item: int) -> bytes:
    """The image as a small WebP; nothing where it can be read no more."""
    width, height = pool.manifest.sizes([item])[0].tolist()
    try:
        pixels = pool.view(item, min(THUMBNAIL, max(8, width, height)))
    except (OSError, PoolError):
        return b""  # the picture is gone; its name and score still tell
    kept = BytesIO()
    Image.fromarray(pixels.transpose(1, 2, 0)).save(kept, "WEBP", quality=80)
    return kept.getvalue()
