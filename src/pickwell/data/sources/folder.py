"""A folder tree of image files."""

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Any, ClassVar, Self

import pyarrow as pa

from pickwell.data.image_errors import Reason
from pickwell.data.reading import read_bytes
from pickwell.data.sources.source import Entry, place, table, utf8
from pickwell.errors import PoolError

SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".dib", ".tif", ".tiff", ".gif"})


class FolderTree:
    """The image files below a folder, at any depth, in natural order; hidden files and folders are passed over.

    A link to a file counts as a file. A link to a folder is followed once, unless it leads back into the tree.
    """

    kind: ClassVar[str] = "folder"

    def __init__(self, root: Path, labels_from_folders: bool = False, under: str = "") -> None:
        self.root = root
        self.place = str(root)
        self.labels_from_folders = labels_from_folders
        self.under = under

    @classmethod
    def find(cls, where: str, labels_from_folders: bool) -> Self | None:
        root = place(where)
        if root.is_dir():
            return cls(root, labels_from_folders)
        if root.suffix.lower() in SUFFIXES and root.exists():
            raise PoolError(f"'{where}' is a single image; name the folder that holds it: '{root.parent}'")
        return None

    @classmethod
    def restore(cls, record: dict[str, Any]) -> Self:
        return cls(Path(record["root"]), bool(record.get("labels_from_folders", False)))

    def record(self) -> dict[str, Any]:
        return {"root": str(self.root), "labels_from_folders": self.labels_from_folders}

    def part(self, root: Path) -> "FolderTree | None":
        """The same images as a part of the tree at `root`, None if they are elsewhere."""
        if not self.root.is_relative_to(root):
            return None
        return FolderTree(root, self.labels_from_folders, self.root.relative_to(root).as_posix())

    def listing(self) -> pa.Table:
        return table(self._entries())

    def read(self, path: str, row: int | None, most: int) -> bytes:
        return read_bytes(self.root / path, most)

    def _entries(self) -> Iterator[Entry]:
        prefix = "" if self.under in ("", ".") else self.under + "/"
        for found, barred in _walk(str(self.root / self.under), prefix, _Links(self.root)):
            name, reason = utf8(found)
            folder, slash, _ = name.partition("/")
            yield Entry(name, known=folder if slash and self.labels_from_folders else None, reason=barred or reason)


def has_images(folder: Path) -> bool:
    """Whether there is any image file below `folder`."""
    return any(barred is None for _, barred in _walk(str(folder), "", _Links(folder)))


def files_below(folder: Path, suffix: str) -> list[str]:
    """The paths, from `folder`, of the image files with that suffix below it."""
    found = _walk(str(folder), "", _Links(folder))
    return [path for path, barred in found if barred is None and PurePath(path).suffix.lower() == suffix]


class _Links:
    """Which linked folders to follow: each once, and none that holds the root or lies within it."""

    def __init__(self, root: Path) -> None:
        self._root = os.path.realpath(root)
        self._linked: set[str] = set()

    def follow(self, link: str) -> bool:
        target = os.path.realpath(link)
        common = os.path.commonpath([target, self._root])
        inside_another = any(os.path.commonpath([target, t]) in (target, t) for t in self._linked)
        if common in (target, self._root) or inside_another:
            return False
        self._linked.add(target)
        return True


def _walk(folder: str, prefix: str, seen: _Links) -> Iterator[tuple[str, Reason | None]]:
    """The paths of the image files from the root, and of the folders that may not be looked into."""
    try:
        with os.scandir(folder) as found:
            entries = sorted((e for e in found if not e.name.startswith(".")), key=lambda e: natural(e.name))
    except OSError as error:
        if not prefix:
            raise PoolError(f"cannot look into the folder {folder}: {error.strerror}; make it readable") from error
        yield prefix, Reason.UNREADABLE
        return
    for entry in entries:
        if entry.is_dir():
            if not entry.is_symlink() or seen.follow(entry.path):
                yield from _walk(entry.path, f"{prefix}{entry.name}/", seen)
        elif PurePath(entry.name).suffix.lower() in SUFFIXES:
            yield prefix + entry.name, None


def natural(name: str) -> tuple[list[str | int], str]:
    """A key that sorts `img2` before `img10`, and equal-looking names always the same way.

    >>> sorted(["img10", "img2", "Img1"], key=natural)
    ['Img1', 'img2', 'img10']
    """
    parts = re.split("([0-9]+)", name.casefold())
    return [int(p) if i % 2 else p for i, p in enumerate(parts)], name
