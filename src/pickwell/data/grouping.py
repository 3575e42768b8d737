"""What people say belongs together: images of one patient, video or place."""

from pathlib import Path
from typing import Protocol, runtime_checkable

import pyarrow as pa
import pyarrow.compute as pc

from pickwell.data.sources import Source
from pickwell.errors import SettingsError

FOLDER = "folder"
"""The group of images that lie in one folder."""


@runtime_checkable
class Tabular(Protocol):
    """A source that has columns beside its images."""

    def values(self, column: str) -> pa.Array | pa.ChunkedArray:
        """A column's texts, a row of the listing each; PoolError where there is no such column."""


def grouped(listing: pa.Table, source: Source, by: str) -> pa.Table:
    """The listing with the group of each image: its folder, the text in a column, or null for none."""
    if not by:
        return listing
    if by.casefold() == FOLDER:
        folders = pc.replace_substring_regex(listing["name"], r"/?[^/]*$", "")
        groups = pc.if_else(pc.equal(folders, ""), None, folders)
    elif isinstance(source, Tabular):
        groups = source.values(by)
    else:
        raise SettingsError(
            f"group is '{by}', but {Path(source.place).name} is no table and has no columns; group by '{FOLDER}', or "
            "list the images in a .csv with that column"
        )
    return listing.append_column("group", groups)
