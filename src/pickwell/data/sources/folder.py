"""A folder tree of image files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar, Self

import pyarrow as pa

from pickwell.data.image_errors import ImageError, Reason
from pickwell.data.reading import read_bytes
from pickwell.data.sources.source import Entry, place, table, utf8
from pickwell.data.tree import SUFFIXES, leaves, walk
from pickwell.errors import PoolError


@dataclass(frozen=True)
class FolderTree:
    """The image files below a folder, at any depth, in natural order; `tree.walk` says which these are.

    With `labels_from_folders` the folder that holds an image is its class; in pools made before that was so, it is the
    `outermost` folder. Listed is what is `under` a folder of the tree, but for what the patterns `exclude`. Unless told
    to `follow` them, links that lead out of the tree are neither listed nor read.
    """

    kind: ClassVar[str] = "folder"

    root: Path
    labels_from_folders: bool = False
    under: str = ""
    exclude: tuple[str, ...] = ()
    outermost: bool = False
    follow: bool = True

    @property
    def place(self) -> str:
        """The folder."""
        return str(self.root)

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
        return cls(Path(record["root"]), **_options(record))

    def record(self) -> dict[str, Any]:
        options = {"exclude": list(self.exclude), "outermost": self.outermost, "follow": self.follow}
        return {"root": str(self.root), "labels_from_folders": self.labels_from_folders, **options}

    def without(self, patterns: Sequence[str], *, follow: bool = True) -> Self:
        """The same tree without what further patterns match, and unless told to `follow` without links out of it."""
        return replace(self, exclude=tuple(dict.fromkeys((*self.exclude, *patterns))), follow=self.follow and follow)

    def part(self, of: "FolderTree") -> "FolderTree | None":
        """The same images as a part of another tree, listed as that is; None if they are elsewhere."""
        if not self.root.is_relative_to(of.root):
            return None
        under = self.root.relative_to(of.root).as_posix()
        part = FolderTree(of.root, self.labels_from_folders, under, of.exclude, of.outermost, of.follow)
        return part.without(self.exclude, follow=self.follow)

    def listing(self) -> pa.Table:
        return table(self._entries())

    def read(self, path: str, row: int | None, most: int) -> bytes:
        if not self.follow and leaves(self.file(path), self.root):
            raise ImageError(Reason.OUTSIDE)
        return read_bytes(self.file(path), most)

    def file(self, path: str) -> Path:
        return self.root / path

    def _entries(self) -> Iterator[Entry]:
        for found, barred in walk(self.root, self.under, self.exclude, self.follow):
            name, reason = utf8(found)
            yield Entry(name, known=self._class(name) if self.labels_from_folders else None, reason=barred or reason)

    def _class(self, name: str) -> str | None:
        """The class that an image's folders say; None for one in the root."""
        folders = PurePosixPath(name).parent.parts
        return folders[0 if self.outermost else -1] if folders else None


def _options(record: dict[str, Any]) -> dict[str, Any]:
    """What a record says of a tree beside its root."""
    known = bool(record.get("labels_from_folders", False))
    # Records of before have neither of these: there the outermost folder was the class.
    options = {"exclude": tuple(record.get("exclude", ())), "outermost": record.get("outermost", known)}
    options["follow"] = record.get("follow", True)
    return {"labels_from_folders": known, **options}
