"""Where a set of scenes has its images and its masks."""

from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from pickwell.data.sources.source import place

CAMVID = (
    *("Sky", "Building", "Pole", "Road", "Pavement", "Tree", "SignSymbol", "Fence", "Car", "Pedestrian", "Bicyclist"),
)
"""The classes of CamVid in the usual layout, by their values in the masks; the value after them is void."""

CAMVID_LIST = (*CAMVID, "!Void")

_SEQUENCES = ("0001TP_", "0006R0_", "0016E5_", "Seq05VD_")
"""What CamVid's images are named after: another set in the same layout has other classes."""

SPLITS = ("test", "testing", "val", "valid", "validation", "train", "training")
"""What the parts of a set are called, those to measure on first."""


class Layout(NamedTuple):
    """A folder of images and one of their masks, None if there is none."""

    images: str | Path
    masks: str | Path | None

    @property
    def camvid(self) -> bool:
        """Whether these are CamVid's images, by their names."""
        folder = place(str(self.images))
        found = [path.name for path in folder.glob("*.*")] if folder.is_dir() else []
        return bool(found) and all(name.startswith(_SEQUENCES) for name in found)


def splits(names: pa.ChunkedArray) -> list[str]:
    """The folders that split images of folders of classes into parts, those to measure on first; [] for one or none.

    >>> splits(pa.chunked_array([["train/cat/1.jpg", "test/dog/2.jpg", "more/dog/3.jpg"]]))
    ['test', 'train']
    """
    outer = pc.unique(pc.struct_field(pc.extract_regex(names, "^(?P<outer>[^/]+)/[^/]+/"), "outer")).to_pylist()
    found = [folder for split in SPLITS for folder in outer if folder and folder.lower() == split]
    return found if len(found) > 1 else []


def layout(images: str | Path, masks: str | Path | None, part: str) -> Layout:
    """Where the images of a `part`, "train" or "test", are, and their masks.

    Without `masks`, those of a folder `x` are in the folder `xannot` beside it, if there is one; and a folder that
    holds such a pair of the part's name, as CamVid's does, stands for that pair.
    """
    if masks is not None:
        return Layout(images, masks)
    root = place(str(images))
    for folder in (root / part, root):
        beside = folder.with_name(f"{folder.name}annot") if folder.name else folder
        if folder.is_dir() and beside != folder and beside.is_dir():
            return Layout(folder, beside)
    return Layout(images, None)
