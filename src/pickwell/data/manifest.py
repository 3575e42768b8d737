"""The ordered, append-only list of a pool's items. An item's id is its row: nothing but appending keeps ids stable."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import ArrayLike, NDArray

from pickwell.data.copies import CONTENT, Copies, Kept, Place, firsts
from pickwell.data.reading import Stamp
from pickwell.data.sources.source import utf8
from pickwell.errors import PoolError, VersionError, unknown_item
from pickwell.files import replacing
from pickwell.items import Item, ItemId

VERSION = 2
ROWS = pa.schema(
    [
        ("source", pa.int32()),
        ("name", pa.string()),
        ("path", pa.string()),
        ("row", pa.int64()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("known", pa.string()),
        ("content", CONTENT),
        ("file_size", pa.int64()),
        ("modified", pa.int64()),
        ("group", pa.string()),
    ]
)
"""A row without its id. `path` (in the source) is null where it equals the name, `row` where the file is the image.

Of rows with the same `content` one is an item, the others are further names of it. `file_size` (bytes) and `modified`
(ns) are the file's, what belongs together has one `group`. All four may be null, and lack in version 1.
"""
_STORED = pa.schema([("id", pa.int64()), *ROWS]).with_metadata({"pickwell.manifest": str(VERSION)})
_FIRST = pa.schema(list(_STORED)[:8])
"""What version 1 stored."""


class Manifest:
    """An opened manifest. Columns are read when first needed, and no item is a Python object before it is asked for."""

    def __init__(self, path: Path, file: pq.ParquetFile) -> None:
        self.path = path
        self.copies = Copies(path.with_name("copies.parquet"))
        self._file = file
        self._columns: dict[str, pa.ChunkedArray] = {}
        self._lock = Lock()

    @classmethod
    def read(cls, path: Path) -> "Manifest":
        """Opens the manifest at `path`; reads nothing but its footer."""
        try:
            file = pq.ParquetFile(path, memory_map=True)
        except FileNotFoundError as error:
            raise PoolError(f"no pool at {path.parent}: no {path.name} there; make one with `pickwell init`") from error
        except (OSError, pa.ArrowInvalid) as error:
            raise PoolError(f"{path} is damaged: {error}; put it back from a copy, or make the pool again") from error
        _check(path, file.schema_arrow)
        return cls(path, file)

    @classmethod
    def write(cls, path: Path, rows: pa.Table) -> "Manifest":
        """Makes a new manifest of rows (by the ROWS schema) at `path`; what they lack at the end is null."""
        return _grown(path, None, _new(rows, pa.nulls(0, pa.string())))

    def append(self, rows: pa.Table) -> "Manifest":
        """The manifest with the rows whose names it has not yet at its end; this one stays as it was opened.

        Rows whose content it has become further names of that item.
        """
        return _grown(self.path, self, _new(rows, self.names_of()))

    def __len__(self) -> int:
        return int(self._file.metadata.num_rows)

    def item(self, item: ItemId) -> Item:
        """The item's name and known label."""
        self._check(item)
        return Item(item, self._column("name")[item].as_py(), self._column("known")[item].as_py())

    def where(self, item: ItemId) -> tuple[int, str, int | None]:
        """Where the item's bytes are: the source's index, the path in it, the row of that file."""
        self._check(item)
        source, name, path, row = (self._column(c)[item].as_py() for c in ("source", "name", "path", "row"))
        return source, name if path is None else path, row

    def places(self, item: ItemId) -> list[Place]:
        """Every place where the item's bytes are, its own first."""
        return [Place(self.item(item).name, *self.where(item)), *self.copies.places(item)]

    def every_name(self) -> Iterator[tuple[ItemId, str]]:
        """The items by all their names: first their own, then those of copies."""
        yield from enumerate(self.names())
        yield from zip(self.copies.table["id"].to_pylist(), self.copies.table["name"].to_pylist(), strict=True)

    def with_content(self, content: pa.ChunkedArray) -> pa.Array:
        """The ids of the items with that content, null where there is none."""
        return pc.index_in(content, value_set=self._column("content"), skip_nulls=True)

    def with_group(self, group: pa.ChunkedArray) -> pa.Array:
        """The id of an item of that group, null where there is none."""
        return pc.index_in(group, value_set=self._column("group"), skip_nulls=True)

    def groups(self) -> NDArray[np.int64]:
        """For each item the first one of its group, itself where it has none, `(N,)`."""
        groups, own = self._column("group"), np.arange(len(self))
        if groups.null_count == len(self):
            return own
        first = np.asarray(pc.fill_null(self.with_group(groups), -1), np.int64)
        return np.where(first < 0, own, first)

    def kept(self, ids: ArrayLike) -> tuple[NDArray[np.int64], list[Kept]]:
        """The sources' indices `(N,)` of many items at once, and what is kept of their images, copies aside."""
        names, paths, rows, sizes, times, contents = (
            self._taken(column, ids) for column in ("name", "path", "row", "file_size", "modified", "content")
        )
        found = [
            Kept(name if path is None else path, row, None if time is None else Stamp(size, time), content)
            for name, path, row, size, time, content in zip(names, paths, rows, sizes, times, contents, strict=True)
        ]
        return np.array(self._taken("source", ids), np.int64), found

    def content(self, item: ItemId) -> bytes | None:
        """What tells the item's bytes from others; None where that is not known."""
        content: bytes | None = self._column("content")[item].as_py()
        return content

    def altered(self, changes: pa.Table) -> "Manifest":
        """The manifest with some columns of the items `id` changed; this one stays as it was opened."""
        return _write(self.path, self, ROWS.empty_table(), changes)

    def find_all(self, names: Sequence[str]) -> NDArray[np.int64]:
        """The ids of many names at once, -1 where there is no such item."""
        # Bytes that are no UTF-8 are read as halves of characters, which Arrow cannot hold and no name in a pool has.
        held = pa.array([None if utf8(name)[1] else name for name in names], pa.string())
        found, copies = pc.index_in(held, value_set=self._column("name")), self.copies.table
        if len(copies):
            at = pc.index_in(held, value_set=copies["name"])
            found = pc.coalesce(found.cast(pa.int64()), copies["id"].combine_chunks().take(at))
        return np.asarray(pc.fill_null(found, -1), dtype=np.int64)

    def names(self, ids: ArrayLike | None = None) -> list[str]:
        """The names of the given items, or of all."""
        return self._taken("name", ids)

    def known(self, ids: ArrayLike | None = None) -> list[str | None]:
        """The known labels of the given items, or of all; None where there is none."""
        return self._taken("known", ids)

    def names_of(self, source: int | None = None, *, known: bool = True) -> pa.ChunkedArray:
        """All names of one source's items, or of all, as an Arrow column; without `known` those that have no label."""
        names, sources = self._column("name"), self._column("source")
        if known and len(copies := self.copies.table):
            names = pa.chunked_array([*names.chunks, *copies["name"].chunks])
            sources = pa.chunked_array([*sources.chunks, *copies["source"].chunks])
        wanted = pc.true_unless_null(names) if source is None else pc.equal(sources, source)
        return names.filter(wanted if known else pc.and_(wanted, pc.is_null(self._column("known"))))

    def sizes(self, ids: ArrayLike | None = None) -> NDArray[np.int32]:
        """Widths and heights `(N, 2)` of the given items, or of all, as seen upright."""
        return np.array([self._taken("width", ids), self._taken("height", ids)], dtype=np.int32).T

    def classes(self) -> list[str]:
        """Every known label there is, once, sorted."""
        return list(self.counts())

    def counts(self) -> dict[str, int]:
        """How many items have each known label, the labels sorted."""
        counted = pc.value_counts(self._column("known").drop_null())
        return dict(sorted(zip(counted.field(0).to_pylist(), counted.field(1).to_pylist(), strict=True)))

    def _taken(self, column: str, ids: ArrayLike | None) -> list[Any]:
        values = self._column(column)
        if ids is None:
            return list(values.to_pylist())
        wanted = np.asarray(ids, dtype=np.int64)
        if len(wanted):
            self._check(int(wanted.min()))
            self._check(int(wanted.max()))
        return list(values.take(pa.array(wanted)).to_pylist())

    def _column(self, name: str) -> pa.ChunkedArray:
        with self._lock:
            if name not in self._columns:
                there = name in self._file.schema_arrow.names
                self._columns[name] = (
                    self._file.read(columns=[name]).column(0)
                    if there
                    else pa.chunked_array([pa.nulls(len(self), ROWS.field(name).type)])
                )
            return self._columns[name]

    def _check(self, item: ItemId) -> None:
        if not 0 <= item < len(self):
            raise PoolError(unknown_item(int(item), len(self)))


def _check(path: Path, schema: pa.Schema) -> None:
    version = int((schema.metadata or {}).get(b"pickwell.manifest", b"0"))
    if version > VERSION:
        raise VersionError(f"{path} has version {version}, this pickwell reads {VERSION}; install a newer pickwell")
    if not schema.equals({1: _FIRST, 2: _STORED}.get(version, pa.schema([])), check_metadata=False):
        raise PoolError(f"{path} is no pickwell manifest; name the folder that `pickwell init` made")


def _new(rows: pa.Table, present: pa.Array | pa.ChunkedArray) -> pa.Table:
    """The rows whose names are neither present nor repeated, the first of a name kept."""
    rows = _whole(rows).select(ROWS.names).cast(ROWS)
    first = first_of_each(rows["name"])
    return rows.filter(pc.and_(first, pc.invert(pc.is_in(rows["name"], value_set=present))))


def first_of_each(names: pa.ChunkedArray) -> pa.Array:
    """True where a name stands for the first time."""
    # Codes are numbers, which numpy can sort; names would become Python objects.
    codes = names.combine_chunks().dictionary_encode()
    codes = codes.combine_chunks() if isinstance(codes, pa.ChunkedArray) else codes
    first = np.zeros(len(names), dtype=bool)
    first[np.unique(np.asarray(codes.indices), return_index=True)[1]] = True
    return pa.array(first)


def _whole(rows: pa.Table) -> pa.Table:
    """The rows with the columns that they lack, as version 1 does, empty."""
    for field in list(ROWS)[len(_FIRST) - 1 :]:
        if field.name not in rows.column_names:
            rows = rows.append_column(field, pa.nulls(len(rows), field.type))
    return rows


def _grown(path: Path, old: Manifest | None, rows: pa.Table) -> Manifest:
    """The manifest with new rows: images at its end, copies beside it."""
    present = old.with_content(rows["content"]).is_valid() if old else pa.repeat(False, len(rows))
    own = pc.and_(pa.array(firsts(rows)), pc.invert(present))
    new = _write(path, old, rows.filter(own))
    copies = rows.filter(pc.invert(own))
    if len(copies):
        # After the manifest: a kill in between leaves files that are looked at again, never names of no item.
        new.copies.append(copies.append_column("id", new.with_content(copies["content"])))
        new = Manifest.read(path)
    return new


def _write(path: Path, old: Manifest | None, rows: pa.Table, changes: pa.Table | None = None) -> Manifest:
    start = len(old) if old else 0
    ids = pa.array(np.arange(start, start + len(rows), dtype=np.int64))
    # A dictionary of names that are all different would make them six times slower to read.
    coded = {"compression": "zstd", "use_dictionary": ["path", "known", "group"]}
    with replacing(path) as new, pq.ParquetWriter(new, _STORED, **coded) as out:
        # Group by group, so that a manifest of millions is never all in memory.
        for group in range(old._file.num_row_groups if old else 0):
            assert old is not None
            stored = _whole(old._file.read_row_group(group))
            out.write_table((stored if changes is None else _altered(stored, changes)).cast(_STORED))
        if len(rows):
            out.write_table(rows.add_column(0, "id", ids).cast(_STORED))
    return Manifest.read(path)


def _altered(stored: pa.Table, changes: pa.Table) -> pa.Table:
    """The rows with the columns of the changes in place of their own, where they have the id of one."""
    at = pc.index_in(stored["id"], value_set=changes["id"])
    for name in changes.column_names:
        new = pc.if_else(at.is_valid(), changes[name].combine_chunks().take(at), stored[name])
        stored = stored.set_column(stored.schema.get_field_index(name), name, new)
    return stored
