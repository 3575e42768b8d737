"""A folder tree of image files beside one of their masks."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar, Self

from pickwell.data.mask_files import SUFFIX, MaskFiles
from pickwell.data.sources.folder import FolderTree
from pickwell.data.sources.source import Entry
from pickwell.data.tree import files_below
from pickwell.errors import PoolError


@dataclass(frozen=True)
class MaskedFolder(FolderTree):
    """A folder tree whose images are known by their masks: `a/b.jpg` by `a/b.png` below the masks' folder.

    An image without a mask is listed all the same. A masks' folder inside the images' is not listed.
    """

    kind: ClassVar[str] = "masked folder"

    masks: MaskFiles = field(kw_only=True)

    @classmethod
    def of(cls, images: FolderTree, masks: MaskFiles) -> Self:
        """The images of a folder with masks; PoolError if that cannot be."""
        if not masks.root.is_dir():
            raise PoolError(f"no masks at '{masks.root}': there is no such folder; name the folder of the mask files")
        if masks.root.resolve() == images.root.resolve():
            raise PoolError(f"images and masks are both in '{images.root}'; put the masks into a folder of their own")
        found = cls(images.root, under=images.under, exclude=images.exclude, follow=images.follow, masks=masks)
        if not any(entry.known for entry in found._entries()):
            raise PoolError(
                f"no image at '{images.root}' has a mask at '{masks.root}'; "
                f"the mask of a/b{masks.image_ending}.jpg is a/b{masks.ending}: name another folder, or the files alike"
            )
        return found

    @classmethod
    def find(cls, where: str, labels_from_folders: bool) -> Self | None:
        return None  # never by the images alone

    @classmethod
    def restore(cls, record: dict[str, Any]) -> Self:
        exclude, follow = tuple(record.get("exclude", ())), record.get("follow", True)
        return cls(Path(record["root"]), exclude=exclude, follow=follow, masks=MaskFiles.restore(record["masks"]))

    def record(self) -> dict[str, Any]:
        options = {"exclude": list(self.exclude), "follow": self.follow}
        return {"root": str(self.root), **options, "masks": self.masks.record()}

    def _entries(self) -> Iterator[Entry]:
        known = {self.masks.of_mask(path): path for path in files_below(self.masks.root, SUFFIX)}
        inside = self.masks.root.relative_to(self.root) if self.masks.root.is_relative_to(self.root) else None
        for entry in super()._entries():
            if inside is None or not PurePosixPath(entry.name).is_relative_to(inside.as_posix()):
                yield entry._replace(known=known.get(self.masks.of_image(entry.name)))


def masked_like(part: FolderTree, new: FolderTree, old: FolderTree) -> FolderTree:
    """`part`, images that `new` lists within `old`, with the masks that `old` has; PoolError if `new` has others."""
    wanted = new.masks.root if isinstance(new, MaskedFolder) else None
    if not isinstance(old, MaskedFolder):
        if wanted is None:
            return part
        raise PoolError(
            f"the images at '{new.root}' are in the pool already, without masks; tell their masks with pickwell tell"
        )
    if wanted not in (None, old.masks.root, old.masks.root / part.under):
        raise PoolError(
            f"the images at '{new.root}' are in the pool already, with masks at '{old.masks.root}', not at '{wanted}'; "
            "put the new masks there, or the new images into a folder of their own"
        )
    return MaskedFolder(part.root, under=part.under, exclude=part.exclude, follow=part.follow, masks=old.masks)
