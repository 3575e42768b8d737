"""What the model makes of a round's picks, pixel by pixel: `rounds/0003/17.mask.png` and `17.uncertainty.png`."""

from pathlib import Path

from pickwell.errors import LabelError
from pickwell.files import replacing
from pickwell.tasks.segmentation.label_maps import BYTES, Mask, check_mask, decode, encode

MASK, UNCERTAINTY = "mask", "uncertainty"


class Predictions:
    """The predictions of each round, 8-bit grey PNGs named after the item's id; none where no file was written.

    The label map is as large as the image, the uncertainty smaller: 0 for certain, 255 for all classes alike.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, number: int, item: int, mask: Mask, uncertainty: Mask) -> None:
        """Writes what is predicted of a pick; raises OSError where it cannot be written."""
        for kind, pixels in ((MASK, mask), (UNCERTAINTY, uncertainty)):
            with replacing(self._path(number, item, kind)) as new:
                new.write_bytes(encode(pixels))

    def has(self, number: int, item: int) -> bool:
        """Whether a prediction of the item was written down."""
        return self._path(number, item, MASK).is_file()

    def of(self, number: int, item: int, size: tuple[int, int], classes: int) -> Mask | None:
        """The predicted mask of an image of that size (W, H); None where there is none, or it cannot be used."""
        found = self.read(number, item, MASK)
        try:
            if found is not None:
                check_mask(found, size, classes)
        except LabelError:
            return None
        return found

    def read(self, number: int, item: int, kind: str) -> Mask | None:
        """The pixels of one of a pick's pictures; None where there is none, or it cannot be read."""
        path = self._path(number, item, kind)
        try:
            return decode(path.read_bytes()) if path.stat().st_size <= BYTES else None
        except (OSError, LabelError):
            return None  # a prediction is a courtesy: without it people still draw

    def _path(self, number: int, item: int, kind: str) -> Path:
        return self.folder / f"{int(number):04d}" / f"{int(item)}.{kind}.png"
