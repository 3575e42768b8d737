"""Run lengths as COCO and CVAT write them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pickwell.errors import LabelError

Region = NDArray[np.bool_]
"""The pixels of a shape, `(H, W)`."""


def runs_of(bits: Region) -> NDArray[np.int64]:
    """The lengths of the runs of a flat array, False first: 0 if it begins with True."""
    edges = np.flatnonzero(np.diff(bits.view(np.int8))) + 1
    lengths = np.diff(np.concatenate([[0], edges, [len(bits)]]))
    return np.concatenate([[0], lengths]) if len(bits) and bits[0] else lengths


def from_runs(lengths: Sequence[int] | NDArray[np.int64], pixels: int, what: str) -> Region:
    """The flat array of runs that come to `pixels`; LabelError if they do not."""
    try:
        counts = np.asarray(lengths, dtype=np.int64)
    except (OverflowError, ValueError, TypeError):
        raise LabelError(f"{what} has run lengths that are no whole numbers; export it again") from None
    # The sum alone could be right by wrapping round, so no single run may be longer than all.
    if counts.ndim != 1 or not len(counts) or counts.min() < 0 or counts.max() > pixels or counts.sum() != pixels:
        total = int(counts.sum()) if counts.size else 0
        raise LabelError(f"{what} has runs that come to {total:,} pixels, not {pixels:,}; export it again")
    return np.repeat(np.arange(len(counts)) % 2 == 1, counts)


def coco_encode(region: Region) -> str:
    """COCO's compressed counts: runs down the columns, each the difference to the one before last, in base 32."""
    lengths = runs_of(region.ravel(order="F")).tolist()
    letters: list[str] = []
    for index, length in enumerate(lengths):
        value = length - lengths[index - 2] if index > 2 else length
        more = True
        while more:
            digit, value = value & 31, value >> 5
            more = value != (-1 if digit & 16 else 0)
            letters.append(chr(48 + (digit | 32 if more else digit)))
    return "".join(letters)


def coco_counts(text: str, what: str) -> list[int]:
    """The run lengths in COCO's compressed counts."""
    lengths: list[int] = []
    value = shift = 0
    for letter in text:
        digit = ord(letter) - 48
        # Eight digits of 5 bits at most: far more than the pixels of any picture.
        if not 0 <= digit < 64 or shift > 35:
            raise LabelError(f"{what} has counts that are no COCO run lengths (at {letter!r}); export it again")
        value |= (digit & 31) << shift
        shift += 5
        if digit & 32:
            continue
        if digit & 16:
            value -= 1 << shift
        lengths.append(value + lengths[-2] if len(lengths) > 2 else value)
        value = shift = 0
    if shift:
        raise LabelError(f"{what} has counts that end in the middle of a number; export it again")
    return lengths


def coco_decode(counts: object, size: tuple[int, int], what: str) -> Region:
    """The region `(H, W)` of COCO's counts, compressed (a text) or not (a list)."""
    width, height = size
    lengths = coco_counts(counts, what) if isinstance(counts, str) else counts
    if not isinstance(lengths, list) or any(type(length) is not int for length in lengths):
        raise LabelError(f"{what} has counts that are neither a text nor a list of whole numbers; export it again")
    return from_runs(lengths, width * height, what).reshape((height, width), order="F")


def box_of(region: Region) -> tuple[int, int, int, int]:
    """Left, top, width and height of the smallest box around a region that is not empty."""
    rows, columns = np.flatnonzero(region.any(axis=1)), np.flatnonzero(region.any(axis=0))
    left, top = int(columns[0]), int(rows[0])
    return left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1


def cvat_encode(region: Region) -> tuple[list[int], tuple[int, int, int, int]]:
    """CVAT's run lengths, along the rows inside the box and False first, and that box."""
    left, top, width, height = box_of(region)
    return runs_of(region[top : top + height, left : left + width].ravel()).tolist(), (left, top, width, height)


def cvat_decode(lengths: Sequence[int], box: tuple[int, int, int, int], size: tuple[int, int], what: str) -> Region:
    """The region `(H, W)` of CVAT's run lengths inside a box, which must lie in the image."""
    left, top, width, height = box
    if min(left, top) < 0 or min(width, height) < 1 or left + width > size[0] or top + height > size[1]:
        raise LabelError(
            f"{what} lies at {left}, {top} and is {width} x {height}, outside the image of {size[0]} x {size[1]}"
        )
    region = np.zeros((size[1], size[0]), dtype=np.bool_)
    runs = from_runs(lengths, width * height, what)
    region[top : top + height, left : left + width] = runs.reshape(height, width)
    return region
