"""The ordered, append-only list of a pool's items. An item's id is its row: nothing but appending keeps ids stable."""

from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import ArrayLike, NDArray

from pickwell.data.sources.source import utf8
from pickwell.errors import PoolError, VersionError, unknown_item
from pickwell.files import replacing
from pickwell.items import Item, ItemId

VERSION = 1
ROWS = pa.schema(
    [
        ("source", pa.int32()),
        ("name", pa.string()),
        ("path", pa.string()),
        ("row", pa.int64()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("known", pa.string()),
    ]
)
"""A row without its id. `path` (in the source) is null where it equals the name, `row` where the file is the image."""
_STORED = pa.schema([("id", pa.int64()), *ROWS]).with_metadata({"pickwell.manifest": str(VERSION)})


class Manifest:
    """An opened manifest. Columns are read when first needed, and no item is a Python object before it is asked for."""

    def __init__(self, path: Path, file: pq.ParquetFile) -> None:
        self.path = path
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
        """Makes a new manifest of rows (by the ROWS schema) at `path`."""
        return _write(path, None, _new(rows, pa.nulls(0, pa.string())))

    def append(self, rows: pa.Table) -> "Manifest":
        """The manifest with the rows whose names it has not yet at its end; this one stays as it was opened."""
        return _write(self.path, self, _new(rows, self._column("name")))

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

    def find_all(self, names: Sequence[str]) -> NDArray[np.int64]:
        """The ids of many names at once, -1 where there is no such item."""
        # Bytes that are no UTF-8 are read as halves of characters, which Arrow cannot hold and no name in a pool has.
        held = pa.array([None if utf8(name)[1] else name for name in names], pa.string())
        found = pc.index_in(held, value_set=self._column("name"))
        return np.asarray(pc.fill_null(found, -1), dtype=np.int64)

    def names(self, ids: ArrayLike | None = None) -> list[str]:
        """The names of the given items, or of all."""
        return self._taken("name", ids)

    def known(self, ids: ArrayLike | None = None) -> list[str | None]:
        """The known labels of the given items, or of all; None where there is none."""
        return self._taken("known", ids)

    def names_of(self, source: int | None = None, *, known: bool = True) -> pa.ChunkedArray:
        """The names of one source's items, or of all, as an Arrow column; without `known` those that have no label."""
        names = self._column("name")
        wanted = pc.true_unless_null(names) if source is None else pc.equal(self._column("source"), source)
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
                self._columns[name] = self._file.read(columns=[name]).column(0)
            return self._columns[name]

    def _check(self, item: ItemId) -> None:
        if not 0 <= item < len(self):
            raise PoolError(unknown_item(int(item), len(self)))


def _check(path: Path, schema: pa.Schema) -> None:
    version = int((schema.metadata or {}).get(b"pickwell.manifest", b"0"))
    if version > VERSION:
        raise VersionError(f"{path} has version {version}, this pickwell reads {VERSION}; install a newer pickwell")
    if version == 0 or not schema.equals(_STORED, check_metadata=False):
        raise PoolError(f"{path} is no pickwell manifest; name the folder that `pickwell init` made")


def _new(rows: pa.Table, present: pa.Array | pa.ChunkedArray) -> pa.Table:
    """The rows whose names are neither present nor repeated, the first of a name kept."""
    rows = rows.select(ROWS.names).cast(ROWS)
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


def _write(path: Path, old: Manifest | None, rows: pa.Table) -> Manifest:
    start = len(old) if old else 0
    ids = pa.array(np.arange(start, start + len(rows), dtype=np.int64))
    # A dictionary of names that are all different would make them six times slower to read.
    coded = {"compression": "zstd", "use_dictionary": ["path", "known"]}
    with replacing(path) as new, pq.ParquetWriter(new, _STORED, **coded) as out:
        # Group by group, so that a manifest of millions is never all in memory.
        for group in range(old._file.num_row_groups if old else 0):
            assert old is not None
            out.write_table(old._file.read_row_group(group).cast(_STORED))
        if len(rows):
            out.write_table(rows.add_column(0, "id", ids).cast(_STORED))
    return Manifest.read(path)
