"""scikit-learn's 1,797 real handwritten digits, the default where no images are named."""

import io
from functools import cache
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image

from pickwell.data.sources.source import Entry, table

SIZE = 16


class Digits:
    """The digits, drawn from 8x8 grey levels as 16x16 RGB; named digits/0000 and so on, known by their numerals."""

    kind: ClassVar[str] = "digits"
    place = "digits"

    @classmethod
    def find(cls, where: str, labels_from_folders: bool) -> Self | None:
        return cls() if where == "digits" else None

    @classmethod
    def restore(cls, record: dict[str, Any]) -> Self:
        return cls()

    def record(self) -> dict[str, Any]:
        return {}

    def listing(self) -> pa.Table:
        _, numerals = _digits()
        return table(Entry(f"digits/{row:04d}", "", row, str(n)) for row, n in enumerate(numerals))

    def read(self, path: str, row: int | None, most: int) -> bytes:
        """The digit as PNG, which loses nothing."""
        levels, _ = _digits()
        # The levels go from 0 to 16.
        grey = Image.fromarray(np.rint(levels[row] * (255 / 16)).astype(np.uint8))
        png = io.BytesIO()
        grey.resize((SIZE, SIZE), Image.Resampling.BILINEAR).convert("RGB").save(png, "PNG", compress_level=1)
        return png.getvalue()

    def file(self, path: str) -> None:
        return None


@cache
def _digits() -> tuple[NDArray[np.float64], list[int]]:
    from sklearn.datasets import load_digits  # takes a second, and only the digits need it

    found = load_digits()
    return found.images, found.target.tolist()
