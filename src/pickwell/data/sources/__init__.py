"""Where images come from: one file a kind, and this ladder of them; other packages' kinds are tried after ours."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pickwell.data.mask_files import MaskFiles
from pickwell.data.sources.csv_table import CsvTable
from pickwell.data.sources.digits import Digits
from pickwell.data.sources.folder import FolderTree
from pickwell.data.sources.masked_folder import MaskedFolder, masked_like
from pickwell.data.sources.parquet import ParquetSet
from pickwell.data.sources.source import LISTING, Source
from pickwell.errors import PoolError, SettingsError, VersionError
from pickwell.registry import Registry

__all__ = ["LISTING", "FolderTree", "MaskedFolder", "Source", "find", "restore", "same"]

KINDS: tuple[type[Source], ...] = (Digits, ParquetSet, CsvTable, MaskedFolder, FolderTree)
"""Our kinds, in the order in which they are tried."""


def _class(found: type[Source]) -> type[Source]:
    return found


ROOM = Registry("source of images", __name__, _class, without=frozenset({"source"}))


def _kinds() -> Iterator[type[Source]]:
    """The kinds in the order in which they are tried: what ours know is not asked of other packages'."""
    yield from KINDS
    yield from ROOM.theirs().values()


def find(
    where: str | Path,
    labels_from_folders: bool = False,
    masks: MaskFiles | None = None,
    exclude: Sequence[str] = (),
    follow_links: bool = True,
) -> Source:
    """The source that `where` names, with its masks if any are given; PoolError if there is none.

    `exclude` are patterns of what to leave out of a folder; links out of it are unless told to `follow_links`.
    """
    if not str(where).strip():  # as a path it would be the folder that one stands in
        raise PoolError("no images at '': the place is empty; name one, or '.' for the folder you are in")
    for kind in _kinds():
        if found := kind.find(str(where), labels_from_folders):
            if isinstance(found, FolderTree):
                found = found.without(exclude, follow=follow_links)
            elif labels_from_folders or exclude or not follow_links:
                asked = "labels from folders were" if labels_from_folders else "something to exclude was"
                raise SettingsError(f"{asked} asked for, but '{where}' is no folder; leave that out")
            if masks:
                return MaskedFolder.of(tree(found, where), masks)
            return found
    said = "it is of another kind" if Path(where).exists() else f"there is nothing at {Path(where).absolute()}"
    raise PoolError(
        f"no images at '{where}': {said}; name a folder of images, a .csv or .tsv of paths, "
        "a .parquet file or a folder of them, or 'digits'"
    )


def tree(found: Source, where: str | Path) -> FolderTree:
    """The source, if it is a folder of images, the only kind that goes with masks."""
    if not isinstance(found, FolderTree):
        raise SettingsError(f"segmentation takes its images from a folder, and '{where}' is none; put them into one")
    return found


def restore(record: dict[str, Any]) -> Source:
    """The source that a pool's `sources.json` describes."""
    said = record.get("kind")
    kind = _by_kind(KINDS).get(said) or _by_kind(ROOM.theirs().values()).get(said)
    if kind is None:
        raise VersionError(f"the pool has a source of kind '{said}', unknown here; install a newer pickwell")
    return kind.restore(record)


def _by_kind(classes: Iterable[type[Source]]) -> dict[object, type[Source]]:
    return {one.kind: one for one in classes}


def same(new: Source, old: Source) -> Source | None:
    """`new` as `old` or as the part of it that it is, None if it is neither."""
    if isinstance(new, FolderTree) and isinstance(old, FolderTree):
        part = new.part(old)
        return part and masked_like(part, new, old)
    return old if type(new) is type(old) and new.place == old.place else None
