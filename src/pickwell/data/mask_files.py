"""The masks that a pool's images came with: files in a folder, each under its image's name."""

from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Self

from pickwell.data.files import read_bytes
from pickwell.data.reasons import ImageError, Reason
from pickwell.errors import LabelError
from pickwell.masks import BYTES, Mask, check_size, decode, label_map

SUFFIX = ".png"


def stem(path: str) -> str:
    """What an image and its mask have in common: the path without the last suffix.

    >>> stem("town/0001.left.jpg")
    'town/0001.left'
    """
    return str(PurePosixPath(path).with_suffix(""))


@dataclass(frozen=True)
class MaskFiles:
    """A folder of mask files whose values are `classes` classes in order, `void` values left out."""

    root: Path
    classes: int
    void: tuple[int, ...] = ()

    @classmethod
    def restore(cls, record: dict[str, Any]) -> Self:
        """The folder that `record` once described."""
        return cls(Path(record["root"]), int(record["classes"]), tuple(record["void"]))

    def record(self) -> dict[str, Any]:
        """What `restore` needs, in types that JSON has."""
        return {**asdict(self), "root": str(self.root), "void": list(self.void)}

    def read(self, path: str, size: tuple[int, int]) -> Mask:
        """The label map of one file, for an image of that size (W, H); ImageError with the reason if there is none."""
        try:
            values = decode(read_bytes(self.root / path, BYTES))
        except ImageError as error:
            raise ImageError(Reason.MASK, str(error)) from error
        except LabelError as error:
            raise ImageError(Reason.MASK, str(error)) from error
        try:
            check_size(values, size)
        except LabelError as error:
            raise ImageError(Reason.MASK_SIZE, str(error)) from error
        try:
            return label_map(values, self.classes, self.void)
        except LabelError as error:
            raise ImageError(Reason.MASK_VALUES, str(error)) from error
