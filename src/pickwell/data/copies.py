"""Files of the same bytes: one image of the pool, under several names."""

import hashlib
from collections import defaultdict
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pickwell.data.reading import Stamp
from pickwell.errors import PoolError
from pickwell.files import replacing

CONTENT = pa.binary(16)
"""What tells an image's bytes from all others."""
COPIES = pa.schema(
    [
        ("id", pa.int64()),
        ("source", pa.int32()),
        ("name", pa.string()),
        ("path", pa.string()),
        ("row", pa.int64()),
        ("file_size", pa.int64()),
        ("modified", pa.int64()),
    ]
)
"""A further name of the item `id`; the other columns are a manifest's."""


def content_of(data: bytes) -> bytes:
    """What tells these bytes from all others: the first 16 of their SHA-256."""
    return hashlib.sha256(data).digest()[:16]


class Place(NamedTuple):
    """Where an item's bytes are, under one of its names: the source's index, the path in it, the row of that file."""

    name: str
    source: int
    path: str
    row: int | None


class Kept(NamedTuple):
    """What a pool has kept of an image: where in its source it is, its file's stamp, and what its bytes are."""

    path: str
    row: int | None
    stamp: Stamp | None
    content: bytes | None


class Copies:
    """The further names of a pool's items, kept beside its manifest: no file, no copies."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def table(self) -> pa.Table:
        """The copies, by the COPIES schema, in the order in which they came."""
        try:
            return pq.read_table(self.path, schema=COPIES)
        except FileNotFoundError:
            return COPIES.empty_table()
        except (OSError, pa.ArrowInvalid) as error:
            raise PoolError(f"{self.path} is damaged: {error}; remove it, then repeat `pickwell add`") from error

    def places(self, item: int) -> list[Place]:
        """Where else the item's bytes are."""
        return [self._rows[at] for at in self._of.get(item, ())]

    def without(self, items: NDArray[np.int64]) -> None:
        """Forgets the copies of some items; this object stays as it was."""
        if any(item in self._of for item in items.tolist()):
            with replacing(self.path) as new:
                pq.write_table(self.table.filter(pc.invert(pc.is_in(self.table["id"], value_set=pa.array(items)))), new)

    def append(self, rows: pa.Table) -> None:
        """Keeps further ones; this object stays as it was."""
        with replacing(self.path) as new:
            pq.write_table(pa.concat_tables([self.table, rows.select(COPIES.names).cast(COPIES)]), new)

    @cached_property
    def _rows(self) -> list[Place]:
        columns = (self.table[name].to_pylist() for name in ("name", "source", "path", "row"))
        return [Place(name, source, path or name, row) for name, source, path, row in zip(*columns, strict=True)]

    @cached_property
    def _of(self) -> dict[int, list[int]]:
        """The places in the table of each item that has copies."""
        of: dict[int, list[int]] = defaultdict(list)
        for at, item in enumerate(self.table["id"].to_pylist()):
            of[item].append(at)
        return dict(of)


def firsts(rows: pa.Table) -> NDArray[np.bool_]:
    """True for the rows that are images of their own, False for copies of others of them.

    Of rows with the same content that with a known label is the image, of several the first; a row without content is
    an image of its own.
    """
    codes = _codes(rows["content"])
    # Of one content the labelled come first, and they in their order.
    order = np.lexsort((np.arange(len(rows)), np.asarray(pc.is_null(rows["known"])), codes))
    own = np.ones(len(rows), dtype=bool)
    own[order[1:]] = np.diff(codes[order]) != 0
    return own | (codes < 0)


def _codes(content: pa.ChunkedArray) -> NDArray[np.int64]:
    """A number for each content, -1 for none."""
    coded = content.combine_chunks().dictionary_encode()
    coded = coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded
    return np.asarray(pc.fill_null(coded.indices, -1), dtype=np.int64)
