"""What a source of images is: a folder tree, a table of paths, a Parquet set, ..."""

import os
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Protocol, Self

import pyarrow as pa

from pickwell.data.image_errors import Reason

LISTING = pa.schema(
    [("name", pa.string()), ("path", pa.string()), ("row", pa.int64()), ("known", pa.string()), ("reason", pa.string())]
)
"""What a source lists. `path` is null where it equals the name; `reason` says why there is nothing to read."""


class Entry(NamedTuple):
    """One row of a listing."""

    name: str
    path: str | None = None
    row: int | None = None
    known: str | None = None
    reason: str | None = None


class Source(Protocol):
    """Images of one place. Making one is cheap and touches no image; `read` may be called by many threads."""

    kind: ClassVar[str]

    @property
    def place(self) -> str:
        """Where the images are, absolute; two sources of one kind and place are the same source."""

    @classmethod
    def find(cls, where: str, labels_from_folders: bool) -> Self | None:
        """The source that `where` names, None if it is of another kind; PoolError if it is of this one but broken."""

    @classmethod
    def restore(cls, record: dict[str, Any]) -> Self:
        """The source that `record` once described."""

    def record(self) -> dict[str, Any]:
        """What `restore` needs, in types that JSON has."""

    def listing(self) -> pa.Table:
        """Every image there is now, by the LISTING schema, in an order that depends on nothing but their names."""

    def read(self, path: str, row: int | None, most: int) -> bytes:
        """The bytes of one image, `most` at most; raises ImageError."""

    def file(self, path: str) -> Path | None:
        """The file that the image is, or is in; None where there is none."""


def table(entries: Iterable[Entry]) -> pa.Table:
    """Entries as a table, packed a few thousand at a time so that no million of objects is alive at once."""
    rest = iter(entries)
    batches = []
    while some := list(islice(rest, 8192)):
        batches.append(packed(some, LISTING))
    return pa.Table.from_batches(batches, LISTING)


def packed(rows: Sequence[tuple[Any, ...]], schema: pa.Schema) -> pa.RecordBatch:
    """Rows, one at least, as columns of the schema's types."""
    columns = zip(zip(*rows, strict=True), schema, strict=True)
    return pa.record_batch([pa.array(column, field.type) for column, field in columns], schema=schema)


def place(where: str) -> Path:
    """The absolute path, without following links: one may be pointed elsewhere on purpose."""
    return Path(os.path.abspath(Path(where).expanduser()))  # noqa: PTH100


def utf8(name: str) -> tuple[str, str | None]:
    """The name and, if it has bytes that are no UTF-8, an escaped form of it with the reason to set it aside.

    Names travel through CSV, JSON and the database, which hold nothing but Unicode.
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        return name.encode("utf-8", "backslashreplace").decode(), Reason.NAME
    return name, None
