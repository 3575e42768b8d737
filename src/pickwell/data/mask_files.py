"""The masks that a pool's images came with: files in a folder, each under its image's name."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Self

from pickwell.data.image_errors import ImageError, Reason
from pickwell.data.reading import read_bytes
from pickwell.errors import LabelError
from pickwell.tasks.segmentation.label_maps import BYTES, Mask, check_size
from pickwell.tasks.segmentation.mask_values import MaskValues

SUFFIX = ".png"


def stem(path: str) -> str:
    """What an image and its mask have in common: the path without the last suffix.

    >>> stem("town/0001.left.jpg")
    'town/0001.left'
    """
    return str(PurePosixPath(path).with_suffix(""))


@dataclass(frozen=True)
class MaskFiles:
    """A folder of mask files whose values mean `classes` classes, as MaskValues say.

    The mask of `a/b.jpg` is `a/b.png`; where a set names them otherwise, its images end in `image_ending` before their
    suffix and its masks in `ending`: `a/b_leftImg8bit.png` and `a/b_gtFine_labelIds.png`.
    """

    root: Path
    classes: int
    void: tuple[int, ...] = ()
    ending: str = SUFFIX
    image_ending: str = ""
    given: tuple[tuple[str, int], ...] = ()

    @classmethod
    def restore(cls, record: dict[str, Any]) -> Self:
        """The folder that `record` once described."""
        given = tuple((value, meaning) for value, meaning in record.get("given", ()))
        return cls(**{**record, "root": Path(record["root"]), "void": tuple(record["void"]), "given": given})

    def record(self) -> dict[str, Any]:
        """What `restore` needs, in types that JSON has."""
        return {**asdict(self), "root": str(self.root), "void": list(self.void)}

    @property
    def values(self) -> MaskValues:
        """What the values of the files mean."""
        return MaskValues(self.classes, self.void, self.given)

    def of_image(self, path: str) -> str:
        """What an image's path has in common with its mask's."""
        return stem(path).removesuffix(self.image_ending)

    def of_mask(self, path: str) -> str | None:
        """What a mask's path has in common with its image's; None for a file that is no mask of the set."""
        return path[: -len(self.ending)] if path.lower().endswith(self.ending.lower()) else None

    def read(self, path: str, size: tuple[int, int]) -> Mask:
        """The label map of one file, for an image of that size (W, H); ImageError with the reason if there is none."""
        with _said(Reason.MASK):
            pixels = self.values.pixels(read_bytes(self.root / path, BYTES))
        with _said(Reason.MASK_SIZE):
            check_size(pixels.shape, size)
        with _said(Reason.MASK_VALUES):
            return self.values.label_map(pixels)


@contextmanager
def _said(reason: Reason) -> Iterator[None]:
    """What goes wrong inside the block becomes an ImageError of that reason."""
    try:
        yield
    except (ImageError, LabelError) as error:
        raise ImageError(reason, str(error)) from error
