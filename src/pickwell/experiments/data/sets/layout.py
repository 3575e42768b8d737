"""Where a data set's parts are, in terms of what a pool can be made from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image

from pickwell.data.mask_files import MaskFiles
from pickwell.errors import PoolError


@dataclass(frozen=True)
class Part:
    """What `Pool.create` takes; `official` is how many images the part is known to have, 0 where that is not known."""

    images: Path
    official: int = 0
    labels_from_folders: bool = False
    masks: MaskFiles | None = None


@dataclass(frozen=True)
class Layout:
    """The parts of a data set; no `test` where it has none of its own.

    `leave_out` are known labels that do not take part. `groups` are classes that a careless person confuses. A set of
    masks has `classes`.
    """

    train: Part
    test: Part | None = None
    leave_out: tuple[str, ...] = ()
    groups: tuple[tuple[str, ...], ...] = ()
    page: str = ""
    classes: tuple[str, ...] = ()


def write_images(path: Path, images: Sequence[NDArray[np.uint8]], labels: Sequence[str]) -> None:
    """Writes images `(H, W, 3)` with their labels as a Parquet set of PNG files."""
    encoded = [{"bytes": _png(image), "path": f"{path.stem}-{at:05d}.png"} for at, image in enumerate(images)]
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"img": encoded, "label": labels}), path, row_group_size=5000)


def _png(image: NDArray[np.uint8]) -> bytes:
    out = BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(out, "PNG", compress_level=1)
    return out.getvalue()


def missing(title: str, data: Path, wanted: Iterable[str], page: str) -> PoolError:
    """The error of a data set that is not there."""
    return PoolError(
        f"{title} is not in {data}: none of {', '.join(wanted)} is there; get it from {page}, unpack it there, and "
        "name the folder with --data or PICKWELL_DATA"
    )
