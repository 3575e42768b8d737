"""A Parquet set: images inside the rows of one or more Parquet files."""

import glob
import json
from bisect import bisect_right
from collections import OrderedDict
from itertools import accumulate
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pickwell.data.image_errors import ImageError, Reason
from pickwell.data.sources.source import LISTING, place
from pickwell.data.tree import has_images, natural
from pickwell.errors import PoolError

CACHE_BYTES = 256 << 20
"""How many bytes of row groups stay in memory. Reading in order needs one; a random order is quick while all fit."""


class ParquetSet:
    """The rows of a Parquet file, of all in a folder, or of those that a pattern such as `data/train-*.parquet` names.

    The image column is found by its type: a struct with binary `bytes` (and perhaps `path`), or else plain binary.
    An image's name is its `path`, if every row has one of its own; else the file's name and the row.
    """

    kind: ClassVar[str] = "parquet"

    def __init__(self, root: Path, wanted: str, named_by: str | None = None) -> None:
        self.root = root
        self.wanted = wanted
        self.place = str(root / wanted)
        self.named_by = named_by
        self._lock = Lock()
        self._open: dict[str, _File] = {}
        self._groups: OrderedDict[tuple[str, int], pa.ChunkedArray] = OrderedDict()

    @classmethod
    def find(cls, where: str, labels_from_folders: bool) -> Self | None:
        path = place(where)
        if path.is_dir():
            # A folder of images may well have tables beside them.
            tables = next(path.glob("*.parquet"), None) and not has_images(path)
            return cls(path, "*.parquet") if tables else None
        if path.suffix.lower() != ".parquet" or not (path.exists() or next(path.parent.glob(path.name), None)):
            return None
        # A file that exists is that file, whatever brackets or stars are in its name.
        return cls(path.parent, glob.escape(path.name) if path.exists() else path.name)

    @classmethod
    def restore(cls, record: dict[str, Any]) -> Self:
        return cls(Path(record["root"]), record["files"], record["named_by"])

    def record(self) -> dict[str, Any]:
        return {"root": str(self.root), "files": self.wanted, "named_by": self.named_by}

    def listing(self) -> pa.Table:
        files = sorted((found.name for found in self.root.glob(self.wanted)), key=natural)
        parts = [self._listed(file) for file in files]
        listed = pa.concat_tables(parts).combine_chunks() if parts else LISTING.empty_table()
        # Decided once and kept with the pool: names must not change when files come in.
        if self.named_by is None:
            alone = pc.count_distinct(listed["name"]).as_py() == len(listed)
            self.named_by = "path" if alone and not listed["name"].null_count else "row"
        names = listed["name"] if self.named_by == "path" else _numbered(listed)
        return listed.set_column(0, "name", pc.coalesce(names, _numbered(listed)))

    def read(self, path: str, row: int | None, most: int) -> bytes:
        assert row is not None
        images, at = self._group(path, row)
        image = images[at].as_buffer()
        if image is None:
            raise ImageError(Reason.NO_IMAGE, f"row {row} of {path}")
        if image.size > most:
            raise ImageError(Reason.TOO_LARGE, f"{image.size:,} bytes; at most {most:,} are read")
        return bytes(image)

    def file(self, path: str) -> Path:
        return self.root / path

    def values(self, column: str) -> pa.ChunkedArray:
        """A column's texts, a row of the listing each; PoolError where there is no such column."""
        files = sorted((found.name for found in self.root.glob(self.wanted)), key=natural)
        return pa.chunked_array([part for file in files for part in self._file(file).texts(column).chunks], pa.string())

    def _listed(self, file: str) -> pa.Table:
        """The rows of one file; `name` is the image's path, null where there is none."""
        opened = self._file(file)
        blank = pa.nulls(opened.rows, pa.string())
        labels = opened.labels() if "label" in opened.file.schema_arrow.names else blank
        at = pa.array(range(opened.rows), pa.int64())
        return pa.table([opened.paths(), pa.repeat(file, opened.rows), at, labels, blank], schema=LISTING)

    def _file(self, file: str) -> "_File":
        if file not in self._open:
            try:
                self._open[file] = _File(self.root / file)
            except FileNotFoundError as error:
                raise ImageError(Reason.MISSING, str(self.root / file)) from error
            except (OSError, pa.ArrowInvalid) as error:
                raise PoolError(f"{self.root / file} is no Parquet file: {error}; mend or remove it") from error
        return self._open[file]

    def _group(self, file: str, row: int) -> tuple[pa.ChunkedArray, int]:
        """The images of the row group that holds `row`, and its place among them."""
        with self._lock:
            opened = self._file(file)
            if row >= opened.rows:
                raise ImageError(Reason.MISSING, f"row {row} of {file}, which now has {opened.rows:,} rows")
            number = bisect_right(opened.starts, row) - 1
            key = (file, number)
            if key not in self._groups:
                self._groups[key] = opened.group(number)
                # The group just read stays, however large it is.
                while len(self._groups) > 1 and sum(g.nbytes for g in self._groups.values()) > CACHE_BYTES:
                    self._groups.popitem(last=False)
            self._groups.move_to_end(key)
            return self._groups[key], row - opened.starts[number]


class _File:
    """One Parquet file: its columns, and where its row groups start."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = pq.ParquetFile(path)
        self.column, self.has_path = _image_column(self.file.schema_arrow, path)
        groups = self.file.metadata
        self.rows: int = groups.num_rows
        sizes = [groups.row_group(i).num_rows for i in range(groups.num_row_groups)]
        self.starts = [0, *accumulate(sizes[:-1])]

    def group(self, number: int) -> pa.ChunkedArray:
        """The images' bytes of one row group."""
        in_struct = pa.types.is_struct(self.file.schema_arrow.field(self.column).type)
        wanted = f"{self.column}.bytes" if in_struct else self.column
        try:
            read = self.file.read_row_group(number, columns=[wanted]).column(0)
        except (OSError, pa.ArrowInvalid) as error:
            raise ImageError(Reason.DAMAGED, f"row group {number} of {self.path.name}: {error}") from error
        return pc.struct_field(read, "bytes") if in_struct else read

    def paths(self) -> pa.ChunkedArray:
        """The images' paths; null where there is none."""
        if not self.has_path:
            return pa.nulls(self.rows, pa.string())
        read = self.file.read(columns=[f"{self.column}.path"]).column(0)
        return self._texts(pc.struct_field(read, "path"), f"{self.column}.path")

    def labels(self) -> pa.ChunkedArray | pa.Array:
        """The column `label` as class names: numbers are looked up in the schema's metadata; -1 and null mean none."""
        column = self.file.read(columns=["label"]).column(0)
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if not pa.types.is_integer(column.type):
            return self._texts(column, "label")
        names = _class_names(self.file.schema_arrow.metadata or {})
        numbers = pc.if_else(pc.greater_equal(column, 0), column, None).combine_chunks()
        if not names:
            return numbers.cast(pa.string())
        return pa.array(names, pa.string()).take(pc.if_else(pc.less(numbers, len(names)), numbers, None))

    def texts(self, name: str) -> pa.ChunkedArray:
        """A column as text; PoolError where there is none of the name."""
        if name not in self.file.schema_arrow.names:
            has = ", ".join(self.file.schema_arrow.names)
            raise PoolError(f"{self.path} has no column '{name}'; it has {has}: name one of them")
        return self._texts(self.file.read(columns=[name]).column(0), name)

    def _texts(self, column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
        """The column as text; null where it is empty."""
        try:
            texts = column.cast(pa.string())
            texts.validate(full=True)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise PoolError(
                f"the column '{name}' of {self.path} is no text ({column.type}: {error}); it may hold text in UTF-8 or "
                "numbers: write it so, or rename it and it is passed over"
            ) from error
        return pc.if_else(pc.equal(texts, ""), None, texts)


def _image_column(schema: pa.Schema, file: Path) -> tuple[str, bool]:
    """The image column's name, and whether it has paths beside the bytes."""
    for field in schema:
        if pa.types.is_struct(field.type):
            parts = {part.name: part.type for part in field.type}
            if _binary(parts.get("bytes")):
                return field.name, "path" in parts
    plain = next((field.name for field in schema if _binary(field.type)), None)
    if plain is None:
        raise PoolError(
            f"{file} has no image column: none of {', '.join(schema.names)} is a struct with binary 'bytes', or binary"
        )
    return plain, False


def _binary(kind: pa.DataType | None) -> bool:
    return kind is not None and (pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _class_names(metadata: dict[bytes, bytes]) -> list[str]:
    """The class names under `huggingface` (as `datasets` writes them) or, separated by commas, under `classes`."""
    try:
        features = json.loads(metadata.get(b"huggingface", b"{}"))["info"]["features"]
        return [str(name) for name in features["label"]["names"]]
    except (KeyError, TypeError, ValueError):
        plain = metadata.get(b"classes", b"").decode("utf-8", "replace")
        return [name.strip() for name in plain.split(",")] if plain else []


def _numbered(listed: pa.Table) -> pa.Array:
    rows = pc.utf8_lpad(listed["row"].cast(pa.string()), 6, "0")
    return pc.binary_join_element_wise(listed["path"], rows, "/")
