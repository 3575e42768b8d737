"""Why an image is set aside."""

from enum import StrEnum
from pathlib import Path

from pickwell.errors import PoolError


class Reason(StrEnum):
    """The words a summary counts by; `ImageError.detail` says more of the single file."""

    MISSING = "missing file"
    NOT_A_FILE = "not a regular file"
    UNREADABLE = "unreadable file"
    NAME = "name is not UTF-8"
    TWICE = "listed twice"
    TEST = "of the test set"
    CHANGED = "another picture than when it was added"
    NO_IMAGE = "no image in the row"
    EMPTY = "empty file"
    NOT_AN_IMAGE = "not an image"
    UNREAD = "unsupported kind"
    TRUNCATED = "truncated"
    DAMAGED = "damaged"
    TOO_LARGE = "too large"
    NO_VECTOR = "without a vector"
    HEIC = "HEIC"
    AVIF = "AVIF"
    CAMPAIGN = "campaign"
    LINK = "link to another image here"
    OUTSIDE = "link out of the folder"
    SYSTEM = "system folder"
    EXCLUDED = "excluded"
    MASK = "unreadable mask"
    MASK_SIZE = "mask of another size"
    MASK_VALUES = "mask with values outside the class list"


MASK_REASONS = (Reason.MASK, Reason.MASK_SIZE, Reason.MASK_VALUES)


class ImageError(PoolError):
    """One image cannot be read. `reason` is a Reason or a kind not read, `detail` the library's or the system's own."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail


class GoneError(PoolError):
    """An `item` of the pool in a folder can be read no more: its file is missing, damaged or another one."""

    def __init__(self, sentence: str, pool: Path, item: int) -> None:
        super().__init__(sentence, item=item)
        self.pool = pool
        self.item = item
