"""The values that formats hand over: what a file says of an image, and what a file is to say of one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pickwell.items import ItemId, Kind
from pickwell.tasks.segmentation.label_maps import Mask
from pickwell.tasks.segmentation.mask_values import MaskValues

CLASSIFICATION, SEGMENTATION = "classification", "segmentation"
UNCOVERED = 65535
"""The code of pixels that no shape covers: they are of the campaign's background class, if one was named."""

Size = tuple[int, int]
"""Width and height, upright."""


@dataclass(frozen=True)
class Codes:
    """A label map in a file's own numbers, `(H, W)`; `names` says which class each number is, None for "ignore".

    `overlap` counts the pixels that shapes of different classes cover.
    """

    values: NDArray[np.uint8] | NDArray[np.uint16]
    names: Mapping[int, str | None]
    overlap: int = 0


@dataclass(frozen=True)
class Found:
    """What a file says of one image: a class name, or a label map that is read when it is called for.

    `name` is the image's name as the file has it (`item` its id, where the file has ids), `where` the place there.
    `load` is given the image's size; what it raises (LabelError) is said of this image alone, as is a `problem`.
    """

    name: str
    label: str | None = None
    load: Callable[[Size], Codes] | None = None
    kind: Kind = Kind.ANSWER
    annotator: str = ""
    seconds: float | None = None
    time: datetime | None = None
    where: str = ""
    item: ItemId | None = None
    problem: str = ""


@dataclass(frozen=True)
class Context:
    """What a format may know of the campaign."""

    task: str
    classes: tuple[str, ...]
    void: tuple[int, ...] = ()
    background: str | None = None
    knows: Callable[[str], bool] = lambda _: True
    copies: bool = False
    """Whether images are written as copies, where they would be links."""
    given: tuple[tuple[str, int], ...] = ()

    @property
    def values(self) -> MaskValues:
        """What the values of the campaign's mask files mean."""
        return MaskValues(len(self.classes), self.void, self.given)


@dataclass(frozen=True)
class Labelled:
    """An image of which something stands: a label, or in formats that name more `KINDS` a skip or an ignore.

    `mask` reads its label map, `image` its bytes; `file` is where it is, if a file. With a `confidence` it is no label
    but what the model says, and how likely that is.
    """

    item: ItemId
    name: str
    size: Size
    label: str
    mask: Callable[[], Mask]
    image: Callable[[], bytes] = bytes
    file: Path | None = None
    kind: Kind = Kind.ANSWER
    annotator: str = ""
    seconds: float | None = None
    time: datetime | None = None
    confidence: float | None = None


@dataclass(frozen=True)
class Asked:
    """An image that waits for a label."""

    item: ItemId
    name: str
    rank: int
    score: float | None
    image: Callable[[], bytes] = bytes
    file: Path | None = None


@dataclass(frozen=True)
class Question:
    """The picks of a round that wait, in rank order."""

    round: int
    asked: tuple[Asked, ...]
    prefix: str = ""
    copies: bool = False
