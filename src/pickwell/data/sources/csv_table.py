"""A CSV file of paths."""

import posixpath
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar, Self

import pyarrow as pa
import pyarrow.compute as pc

from pickwell.data.csv_rows import LABEL, NAME, column, rows, unescaped
from pickwell.data.image_errors import Reason
from pickwell.data.reading import read_bytes
from pickwell.data.sources.source import Entry, place, table
from pickwell.data.tree import SUFFIXES
from pickwell.errors import LabelError, PoolError, few


class CsvTable:
    """The files that a CSV (or TSV) lists, in its order, relative to its own folder or absolute.

    The paths are in the column `path`, else in that of another name for images, else in the first with a name; labels,
    if any, in `label` or another name for labels. A first row that is itself an image's path is no header.
    """

    kind: ClassVar[str] = "csv"

    def __init__(self, table: Path) -> None:
        self.table = table
        self.place = str(table)

    @classmethod
    def find(cls, where: str, labels_from_folders: bool) -> Self | None:
        file = place(where)
        return cls(file) if file.suffix.lower() in (".csv", ".tsv") and file.is_file() else None

    @classmethod
    def restore(cls, record: dict[str, Any]) -> Self:
        return cls(Path(record["file"]))

    def record(self) -> dict[str, Any]:
        return {"file": str(self.table)}

    def listing(self) -> pa.Table:
        try:
            listed = table(entry for _, entry in _entries(rows(self.table), self.table.parent))
        except LabelError as error:
            raise PoolError(str(error)) from None
        labels = listed.filter(pc.is_null(listed["reason"])).group_by("name").aggregate([("known", "count_distinct")])
        if twice := labels.filter(pc.greater(labels["known_count_distinct"], 1))["name"].to_pylist():
            raise PoolError(f"{self.table} contradicts itself: {self._contradictions(twice)}; keep one row an image")
        return listed

    def values(self, column_: str) -> pa.Array:
        """A column's texts, a row of the listing each; PoolError where there is no such column."""
        lines = (row for _, row in rows(self.table))
        header = next(lines, [])
        at = column(header, (column_.strip().casefold(),))
        if at is None:
            raise PoolError(f"{self.table} has no column '{column_}'; it has {', '.join(header)}: name one of them")
        return pa.array([unescaped(row[at]).strip() or None if at < len(row) else None for row in lines], pa.string())

    def _contradictions(self, names: Sequence[str]) -> str:
        """What the rows of names that have several labels say."""
        said: dict[str, list[str]] = {name: [] for name in names}
        for line, entry in _entries(rows(self.table), self.table.parent):
            if entry.known and entry.name in said:
                said[entry.name].append(f"{entry.known} in line {line}")
        return few([f"{name} is {' and '.join(lines)}" for name, lines in said.items()])

    def read(self, path: str, row: int | None, most: int) -> bytes:
        return read_bytes(self.file(path), most)

    def file(self, path: str) -> Path:
        return self.table.parent / path


def _entries(lines: Iterator[tuple[int, list[str]]], folder: Path) -> Iterator[tuple[int, Entry]]:
    """The rows with their line numbers, the first of them unless it is a header; paths are relative to the folder."""
    start, first = next(lines, (1, []))
    path, label = column(first, NAME), column(first, LABEL)
    headed = (path, label) != (None, None) or not any(Path(cell).suffix.lower() in SUFFIXES for cell in first[:1])
    if path is None:
        path = next((place for place, cell in enumerate(first) if cell.strip()), 0)
    for line, row in chain([] if headed else [(start, first)], lines):
        yield line, _entry(row, path, label, folder)


def _entry(row: list[str], path: int, label: int | None, folder: Path) -> Entry:
    cell = unescaped(row[path]) if path < len(row) else ""
    if "\\" in cell and not (folder / cell).exists():
        cell = cell.replace("\\", "/")  # as Windows has it
    known = unescaped(row[label].strip()) if label is not None and label < len(row) else ""
    # `a/./b` and `a/b` are one image, and have one name.
    return Entry(posixpath.normpath(cell) if cell else "", known=known or None, reason=None if cell else Reason.MISSING)
