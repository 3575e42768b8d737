"""The to-label list and the labels that come back, as CSV: `item` and `label` decide, other columns may be there."""

import csv
import io
import os
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from pickwell.data.pool import Pool
from pickwell.errors import LabelError
from pickwell.items import Kind, Label, Round

WORDS = {"!skip": Kind.SKIP, "!ignore": Kind.IGNORE}
"""What stands in the label column for "ask another time" and "never label it"."""

Row = dict[str, str]
"""The cells of a row by column."""

COLUMNS = ("rank", "item", "name", "score", "label")


def write_picks(path: Path, question: Round, pool: Pool, taken: Collection[int]) -> str:
    """Writes the picks that wait, in rank order, with a label column to fill in; what was typed there already stays.

    So do columns of one's own beside a label, but not a skip: a later round that asks the item again should not find it
    answered. A file there that cannot be read as such a list, or has labels for others than the `taken` items, who have
    none now, is kept under another name; returns the sentence about it, or "".
    """
    typed, problem = _typed(path, pool)
    if untold := sorted(typed.keys() - set(taken)):
        shown = ", ".join(map(str, untold[:5])) + ", ..." * (len(untold) > 5)
        problem = f"labels in it are of images that have none now (item {shown})"
    text = io.StringIO()
    kept_rows = [typed[pick.item] for pick in question.waiting if pick.item in typed]
    further = dict.fromkeys(column for row in kept_rows for column in row if column not in COLUMNS)
    table = csv.DictWriter(text, [*COLUMNS, *further], restval="", lineterminator="\n")
    table.writeheader()
    for pick in question.waiting:
        score = "" if pick.held_out else f"{pick.score:.6g}"
        asked = {"rank": pick.rank, "item": pick.item, "name": pool.item(pick.item).name, "score": score}
        table.writerow({**typed.get(pick.item, {}), **asked})
    # In one move: whoever has the list open sees the old one or the new one.
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    partial.write_text(text.getvalue(), encoding="utf-8", errors="surrogateescape")
    kept = _moved_aside(path) if problem else None
    partial.replace(path)
    if kept is None:
        return ""
    return (
        f"what was in {path} is kept as {kept}, because {problem}; mend it there and tell it, or copy its labels to "
        "the new list"
    )


def _typed(path: Path, pool: Pool) -> tuple[dict[int, Row], str]:
    """The rows with labels, but for skips, of a list that is there already; and why it cannot be read as one, or ""."""
    if not path.is_file() or not path.stat().st_size:
        return {}, ""
    try:
        rows = _labelled(path, pool)
    except LabelError as error:
        return {}, f"it could not be read as a to-label list: {error}"
    return {item: row for item, row in rows.items() if WORDS.get(row["label"]) is not Kind.SKIP}, ""


def _moved_aside(path: Path) -> Path:
    """Gives the file the first name like its own that is free, and returns that."""
    number = 1
    while True:
        place = path.with_stem(f"{path.stem}-{number}")
        try:
            place.touch(exist_ok=False)  # from here on it is this file's place, and nobody's file is overwritten
        except FileExistsError:
            number += 1
        else:
            return path.replace(place)


def read_labels(path: Path, pool: Pool) -> list[Label]:
    """The labels in a CSV file; rows with an empty label are answers still to come.

    `item` is an id or a name. Raises LabelError for a file without the columns, without a label, with an unknown item
    or with an item twice.
    """
    rows = _labelled(path, pool)
    if not rows:
        raise LabelError(f"{path} holds no label; fill in its label column (a class, !skip or !ignore)")
    return [_label(item, row) for item, row in rows.items()]


def _label(item: int, row: Row) -> Label:
    kind = WORDS.get(row["label"], Kind.ANSWER)
    value = row["label"] if kind is Kind.ANSWER else None
    return Label(item, value, kind, row.get("annotator", ""))


def _labelled(path: Path, pool: Pool) -> dict[int, Row]:
    """The rows that have a label, by item."""
    rows = [(f"{path} line {line}", row) for line, row in _rows(path) if row.get("label") != ""]
    named = pool.manifest.find_all([row.get("item", "") for _, row in rows]).tolist()
    labelled: dict[int, Row] = {}
    for (where, row), found in zip(rows, named, strict=True):
        item = _item(row.get("item", ""), found, len(pool), where)
        if "label" not in row:
            _check_unlabelled(row, pool.item(item).name, where)
            continue
        if item in labelled:
            raise LabelError(f"{where}: item {item} is there twice; keep one row an item")
        labelled[item] = row
    return labelled


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The cells of each row by column, with its line number; LabelError where the header lacks a column."""
    try:
        # Spreadsheets put a byte order mark first, and the name of a mask's file need not be UTF-8.
        text = path.read_bytes().decode("utf-8-sig", "surrogateescape")
    except OSError as error:
        raise LabelError(f"{path} cannot be read: {error.strerror}") from None
    if "\0" in text:
        raise LabelError(f"{path} is not UTF-8 text; save it as CSV in UTF-8")
    table = cells(path, text)
    columns = [name.strip() for name in next(table)[1]]
    if not any(columns):
        raise LabelError(f"{path} is empty; it needs a header line with the columns item and label")
    missing = {"item", "label"} - set(columns)
    if missing:
        raise LabelError(
            f"{path} has the columns {', '.join(columns)}; {' and '.join(sorted(missing))} missing: "
            "the header line must name item and label"
        )
    for line, row in table:
        yield line, {column: cell.strip() for column, cell in zip(columns, row, strict=False)}


def cells(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV file with their line numbers, the header first; those without any content are passed over.

    Commas, semicolons or tabs separate. A row may be shorter than the header, and raises a LabelError if it is longer.
    """
    lines = io.StringIO(text, newline="")
    # Where commas are decimal points, spreadsheets write semicolons.
    delimiter = max(",;\t", key=lines.readline().count)
    lines.seek(0)
    table = csv.reader(lines, delimiter=delimiter, strict=True)
    line = 1
    try:
        header = next(table, [])
        yield line, header
        line = table.line_num + 1
        for row in table:
            if len(row) > len(header):
                raise LabelError(
                    f"{path} line {line} has {len(row)} cells, its header {len(header)}; "
                    "quote values that hold a separator"
                )
            if any(map(str.strip, row)):
                yield line, row
            line = table.line_num + 1
    except csv.Error as error:
        raise LabelError(f"{path} line {line} is not CSV: {error}; mend it, its quotes first") from None


def _check_unlabelled(row: Mapping[str, str], name: str, where: str) -> None:
    """Refuses a row that ends before its label, unless none of its cells can be that label.

    Spreadsheets may leave out the empty cells at a row's end: Excel does where the same cells of the rows around are
    empty, too.
    """
    # As far as ASCII goes: what spreadsheets take for another encoding comes back as other letters.
    is_name = (row.get("name") or name).encode("ascii", "ignore") == name.encode("ascii", "ignore")
    others = [cell for column, cell in row.items() if column not in ("item", "name")]
    if not is_name or not all(re.fullmatch(r"[-+0-9.,eE]*", cell) for cell in others):
        raise LabelError(f"{where} ends before its label; write a separator for every column, also for empty cells")


def _item(text: str, named: int, items: int, where: str) -> int:
    """The id that a cell means: digits are an id, anything else a name."""
    # More than 18 digits are no id: ids have 63 bits.
    found = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else named
    if not 0 <= found < items:
        shown = text.encode("utf-8", "backslashreplace").decode()
        raise LabelError(
            f"{where}: unknown item '{shown}'; an item is an id (0 to {items - 1}) or a name of the to-label list"
        )
    return found
