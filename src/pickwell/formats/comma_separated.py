"""The to-label list and the labels that come back, as CSV: `item` and `label` decide, other columns may be there."""

import csv
import io
import os
from collections.abc import Iterator
from pathlib import Path

from pickwell.data.pool import Pool
from pickwell.errors import LabelError
from pickwell.items import Kind, Label, Round

WORDS = {"!skip": Kind.SKIP, "!ignore": Kind.IGNORE}
"""What stands in the label column for "ask another time" and "unlabelled on purpose"."""

COLUMNS = ("rank", "item", "name", "score", "label")


def write_picks(path: Path, question: Round, pool: Pool) -> None:
    """Writes the picks that wait, in rank order, with a label column to fill in; what was typed there already stays."""
    typed = _typed(path)
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for pick in question.waiting:
        score = "" if pick.held_out else f"{pick.score:.6g}"
        table.writerow([pick.rank, pick.item, pool.item(pick.item).name, score, typed.get(str(pick.item), "")])
    # In one move: whoever has the list open sees the old one or the new one.
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    partial.write_text(text.getvalue(), encoding="utf-8", errors="surrogateescape")
    partial.replace(path)


def _typed(path: Path) -> dict[str, str]:
    """The labels in a to-label list that is there already, by item; none if the file is anything else.

    A skip is left out: a later round that asks the item again should not find it answered.
    """
    try:
        found = {(row["item"] or "").strip(): (row["label"] or "").strip() for _, row in _rows(path)}
    except LabelError:
        return {}
    return {item: value for item, value in found.items() if WORDS.get(value) is not Kind.SKIP}


def read_labels(path: Path, pool: Pool) -> list[Label]:
    """The labels in a CSV file; rows with an empty label are answers still to come.

    `item` is an id or a name. Raises LabelError for a file without the columns, without a label, with an unknown item
    or with an item twice.
    """
    rows = [(line, row) for line, row in _rows(path) if (row["label"] or "").strip()]
    named = pool.manifest.find_all([(row["item"] or "").strip() for _, row in rows]).tolist()
    labels: dict[int, Label] = {}
    for (line, row), found in zip(rows, named, strict=True):
        item = _item((row["item"] or "").strip(), found, len(pool), f"{path} line {line}")
        if item in labels:
            raise LabelError(f"{path} line {line}: item {item} is there twice; keep one row an item")
        value = (row["label"] or "").strip()
        kind = WORDS.get(value, Kind.ANSWER)
        labels[item] = Label(item, value if kind is Kind.ANSWER else None, kind, (row.get("annotator") or "").strip())
    if not labels:
        raise LabelError(f"{path} holds no label; fill in its label column (a class, !skip or !ignore)")
    return list(labels.values())


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str | None]]]:
    """The rows of a file with their line numbers; LabelError where its header lacks a column."""
    try:
        # Spreadsheets put a byte order mark first, and names of files need not be UTF-8.
        text = path.read_text(encoding="utf-8-sig", errors="surrogateescape")
    except OSError as error:
        raise LabelError(f"{path} cannot be read: {error.strerror}") from None
    first = text.partition("\n")[0]
    if not first.strip():
        raise LabelError(f"{path} is empty; it needs a header line with the columns item and label")
    # Where commas are decimal points, spreadsheets write semicolons.
    delimiter = max(",;\t", key=first.count)
    table = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    columns = [name.strip() for name in table.fieldnames or ()]
    missing = {"item", "label"} - set(columns)
    if missing:
        raise LabelError(
            f"{path} has the columns {', '.join(columns)}; {' and '.join(sorted(missing))} missing: "
            "the header line must name item and label"
        )
    table.fieldnames = columns
    yield from _checked(path, table)


def _checked(path: Path, table: "csv.DictReader[str]") -> Iterator[tuple[int, dict[str, str | None]]]:
    try:
        for row in table:
            if None in row:
                raise LabelError(
                    f"{path} line {table.line_num}: more cells than columns; quote values that hold a separator"
                )
            yield table.line_num, dict(row)
    except csv.Error as error:
        raise LabelError(f"{path} line {table.line_num} is not CSV: {error}") from None


def _item(text: str, named: int, items: int, where: str) -> int:
    """The id that a cell means: digits are an id, anything else a name."""
    # More than 18 digits are no id: ids have 63 bits.
    found = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else named
    if not 0 <= found < items:
        raise LabelError(
            f"{where}: unknown item '{text}'; an item is an id (0 to {items - 1}) or a name of the to-label list"
        )
    return found
