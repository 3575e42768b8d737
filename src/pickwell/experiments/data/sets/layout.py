"""Where a data set's parts are, in terms of what a pool can be made from."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pickwell.data.mask_files import MaskFiles
from pickwell.errors import PoolError


@dataclass(frozen=True)
class Layout:
    """`train` and `test` are what `Pool.create` takes; no `test` where the set has none of its own.

    `official` are the sizes that the set is known to have. `leave_out` are known labels that do not take part.
    `groups` are classes that a careless person confuses. A set of masks has `classes` and where the masks are.
    """

    train: Path
    test: Path | None = None
    labels_from_folders: bool = False
    test_labels_from_folders: bool = False
    official: tuple[int, int] | None = None
    leave_out: tuple[str, ...] = ()
    groups: tuple[tuple[str, ...], ...] = ()
    page: str = ""
    classes: tuple[str, ...] = ()
    masks: MaskFiles | None = None
    test_masks: MaskFiles | None = None


def missing(title: str, data: Path, wanted: Iterable[str], page: str) -> PoolError:
    """The error of a data set that is not there."""
    return PoolError(
        f"{title} is not in {data}: none of {', '.join(wanted)} is there; get it from {page}, unpack it there, and "
        "name the folder with --data or PICKWELL_DATA"
    )
