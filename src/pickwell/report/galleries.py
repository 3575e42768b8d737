"""Picked images and scenes as a page shows them."""

from collections.abc import Mapping
from dataclasses import dataclass


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
