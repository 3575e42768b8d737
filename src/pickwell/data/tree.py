"""Which files below a folder are images, and what is passed over there."""

import os
import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePath

from pickwell.data.image_errors import Reason
from pickwell.errors import PoolError

SUFFIXES = frozenset(
    (
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".dib", ".tif", ".tiff", ".gif"),
        *(".heic", ".heif", ".hif", ".avif", ".jp2", ".j2k", ".jpx", ".jpc", ".j2c", ".jpf", ".apng", ".psd"),
        *(".pgm", ".ppm", ".pbm", ".pnm", ".pfm", ".tga", ".pcx", ".sgi", ".qoi", ".dds"),
    )
)
UNREAD = {
    ".jxl": "JPEG XL",
    **dict.fromkeys((".arw", ".cr2", ".cr3", ".dng", ".nef", ".orf", ".pef", ".raf", ".rw2"), "camera raw"),
    ".svg": "SVG",
    ".dcm": "DICOM",
    ".exr": "OpenEXR",
    ".hdr": "Radiance HDR",
    **dict.fromkeys((".fits", ".fit"), "FITS"),
}
"""The kinds of images that nothing here reads, by their suffixes."""

SYSTEM = frozenset(("@eadir", "#recycle", "$recycle.bin", "lost+found"))
"""Folders in which systems keep thumbnails and what was deleted, in small letters."""
CAMPAIGN = frozenset(("campaign.toml", "pool"))
"""What a folder holds that is a campaign: its masks, predictions and pictures are no photographs."""

Found = tuple[str, str | None]
"""A path from the root, that of a folder with a slash at its end, and why it is passed over."""


def walk(root: Path, under: str = "", exclude: Sequence[str] = (), follow: bool = True) -> Iterator[Found]:
    """The image files below a part of the tree at `root`, in natural order, and what is passed over with its reason.

    `exclude` are patterns of paths from the root, or of the names of files and folders. Hidden files and folders are
    left out without a word. A link to a file counts as a file, unless that is listed itself; one to a folder is
    followed once, unless it leads back into the tree. Unless told to `follow` them, links out of it are passed over.
    """
    prefix = "" if under in ("", ".") else under + "/"
    yield from _Walk(root, exclude, follow).below(str(root / under), prefix)


def leaves(path: str | Path, root: str | Path) -> bool:
    """Whether links lead from a path below `root` to a place outside of it."""
    home = os.path.realpath(root)
    return os.path.commonpath([os.path.realpath(path), home]) != home


def has_images(folder: Path) -> bool:
    """Whether there is any image file below `folder`."""
    return any(reason is None for _, reason in walk(folder))


def files_below(folder: Path, suffix: str) -> list[str]:
    """The paths, from `folder`, of the image files with that suffix below it."""
    return [path for path, reason in walk(folder) if reason is None and PurePath(path).suffix.lower() == suffix]


class _Walk:
    def __init__(self, root: Path, exclude: Sequence[str], follow: bool) -> None:
        self._root = os.path.realpath(root)
        self._exclude, self._follow = exclude, follow
        self._linked: set[str] = set()

    def below(self, folder: str, prefix: str) -> Iterator[Found]:
        try:
            with os.scandir(folder) as found:
                entries = sorted((e for e in found if not e.name.startswith(".")), key=lambda e: natural(e.name))
        except OSError as error:
            if not prefix:
                raise PoolError(f"cannot look into the folder {folder}: {error.strerror}; make it readable") from error
            yield prefix, Reason.UNREADABLE
            return
        if prefix and {entry.name for entry in entries} >= CAMPAIGN:
            yield prefix, Reason.CAMPAIGN
            return
        for entry in entries:
            yield from self._at(entry, prefix + entry.name)

    def _at(self, entry: os.DirEntry[str], path: str) -> Iterator[Found]:
        reason, suffix = self._barred(path), PurePath(entry.name).suffix.lower()
        if not self._follow and entry.is_symlink() and leaves(entry.path, self._root):
            reason = reason or Reason.OUTSIDE
        if not entry.is_dir():
            if suffix in SUFFIXES or suffix in UNREAD:
                yield path, reason or UNREAD.get(suffix) or self._listed_elsewhere(entry)
        elif reason:
            yield path + "/", reason
        elif not entry.is_symlink() or self._follows(entry.path):
            yield from self.below(entry.path, path + "/")

    def _barred(self, path: str) -> Reason | None:
        """Why the file or folder at a path from the root is not looked at, by its name alone."""
        name = path.rpartition("/")[2]
        if name.casefold() in SYSTEM:
            return Reason.SYSTEM
        excluded = any(fnmatchcase(name, pattern) or fnmatchcase(path, pattern) for pattern in self._exclude)
        return Reason.EXCLUDED if excluded else None

    def _listed_elsewhere(self, entry: os.DirEntry[str]) -> Reason | None:
        """The reason to pass over a link to a file that is listed under its own name."""
        target = os.path.realpath(entry.path) if entry.is_symlink() else self._root
        if os.path.commonpath([target, self._root]) != self._root or not Path(target).is_file():
            return None
        path = Path(target).relative_to(self._root)
        barred = any(self._barred(above.as_posix()) for above in (path, *path.parents))
        hidden = any(part.startswith(".") for part in path.parts)
        return Reason.LINK if path.suffix.lower() in SUFFIXES and not (hidden or barred) else None

    def _follows(self, link: str) -> bool:
        """Whether to follow a linked folder: each once, and none that holds the root or lies within it."""
        target = os.path.realpath(link)
        common = os.path.commonpath([target, self._root])
        inside_another = any(os.path.commonpath([target, t]) in (target, t) for t in self._linked)
        if common in (target, self._root) or inside_another:
            return False
        self._linked.add(target)
        return True


def natural(name: str) -> tuple[list[str | int], str]:
    """A key that sorts `img2` before `img10`, and equal-looking names always the same way.

    >>> sorted(["img10", "img2", "Img1"], key=natural)
    ['Img1', 'img2', 'img10']
    """
    parts = re.split("([0-9]+)", name.casefold())
    return [int(p) if i % 2 else p for i, p in enumerate(parts)], name
