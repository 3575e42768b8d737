"""A CSV file of paths."""

import csv
import posixpath
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Self

import pyarrow as pa

from pickwell.data.reading import read_bytes
from pickwell.data.reasons import Reason
from pickwell.data.sources.folder import SUFFIXES
from pickwell.data.sources.source import Entry, place, table
from pickwell.errors import PoolError

_SEPARATORS = {".csv": ",", ".tsv": "\t"}


class CsvTable:
    """The files that a CSV (or TSV) lists, in its order, relative to its own folder or absolute.

    The paths are in the column `path`, else `image`, else the first; labels, if any, in the column `label`.
    A first row that is itself an image's path is no header.
    """

    kind: ClassVar[str] = "csv"

    def __init__(self, file: Path) -> None:
        self.file = file

    @property
    def place(self) -> str:
        return str(self.file)

    @classmethod
    def find(cls, where: str, labels_from_folders: bool) -> Self | None:
        file = place(where)
        return cls(file) if file.suffix.lower() in _SEPARATORS and file.is_file() else None

    @classmethod
    def restore(cls, record: dict[str, Any]) -> Self:
        return cls(Path(record["file"]))

    def record(self) -> dict[str, Any]:
        return {"file": str(self.file)}

    def listing(self) -> pa.Table:
        try:
            separator = _SEPARATORS[self.file.suffix.lower()]
            with self.file.open(newline="", encoding="utf-8-sig") as lines:
                return table(_entries(csv.reader(lines, delimiter=separator, strict=True)))
        except UnicodeDecodeError as error:
            raise PoolError(f"{self.file} is not UTF-8 text: {error.reason}; save it as UTF-8") from error
        except (OSError, csv.Error) as error:
            raise PoolError(f"cannot read the table {self.file}: {error}; mend it, then repeat") from error

    def read(self, path: str, row: int | None, most: int) -> bytes:
        return read_bytes(self.file.parent / path, most)


def _entries(rows: Iterator[list[str]]) -> Iterator[Entry]:
    """The rows that hold anything, the first of them unless it is a header."""
    first = next((row for row in rows if any(row)), [])
    path, label, headed = _columns(first)
    if not headed:
        yield _entry(first, path, label)
    for row in rows:
        if any(row):
            yield _entry(row, path, label)


def _columns(first: list[str]) -> tuple[int, int | None, bool]:
    """The columns of the paths and of the labels, and whether `first` is a header."""
    names = [cell.strip().lower() for cell in first]
    path = next((names.index(n) for n in ("path", "image") if n in names), 0)
    label = names.index("label") if "label" in names else None
    headed = "path" in names or "image" in names or label is not None
    return path, label, headed or not any(Path(n).suffix in SUFFIXES for n in names[:1])


def _entry(row: list[str], path: int, label: int | None) -> Entry:
    cell = row[path] if path < len(row) else ""
    known = row[label].strip() if label is not None and label < len(row) else ""
    # `a/./b` and `a/b` are one image, and have one name.
    return Entry(posixpath.normpath(cell) if cell else "", known=known or None, reason=None if cell else Reason.MISSING)
