"""The masks that the model would draw of a round's picks, as the process that picked them wrote them down."""

from pathlib import Path

from pickwell.errors import LabelError
from pickwell.masks import BYTES, Mask, check_mask, decode


class Predictions:
    """The predictions of each round, `rounds/0003/17.mask.png`; none where no file was written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def has(self, number: int, item: int) -> bool:
        """Whether a prediction of the item was written down."""
        return self._path(number, item).is_file()

    def of(self, number: int, item: int, size: tuple[int, int], classes: int) -> Mask | None:
        """The predicted mask of an image of that size (W, H); None where there is none, or it cannot be used."""
        try:
            path = self._path(number, item)
            if path.stat().st_size > BYTES:
                return None
            mask = decode(path.read_bytes())
            check_mask(mask, size, classes)
        except (OSError, LabelError):
            return None  # a prediction is a courtesy: without it people still draw
        return mask

    def _path(self, number: int, item: int) -> Path:
        return self.folder / f"{int(number):04d}" / f"{int(item)}.mask.png"
