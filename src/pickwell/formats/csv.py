"""CSV: a header line, a column for the image and one for its label; other columns may be there.

Use when: labels go through a spreadsheet, an editor or a script.
Source: RFC 4180.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from pickwell.errors import LabelError
from pickwell.formats.comma_separated import COLUMNS, WORDS, cells
from pickwell.formats.exchange.found import CLASSIFICATION, SEGMENTATION, Context, Found, Labelled, Question
from pickwell.formats.exchange.mask_pictures import numbers, renumbered, save
from pickwell.formats.exchange.names import inside
from pickwell.formats.exchange.paths import appearing, read_text
from pickwell.formats.masks import indices
from pickwell.labels import IGNORE_INDEX

TASKS = (CLASSIFICATION, SEGMENTATION)

_IMAGE = ("item", "name", "path", "filename", "file", "image", "id")
_LABEL = ("label", "class", "target")


def read(where: Path, context: Context) -> list[Found]:
    """The rows with a label: a class, !skip, !ignore or, of masks, the path of a file of class indices.

    A mask's path is relative to the CSV and stays below its folder. Commas, semicolons or tabs separate.
    """
    found = []
    for line, row in _rows(where):
        image, label, annotator = (row[column].strip() for column in ("image", "label", "annotator"))
        if label:
            # Other tools count otherwise: an `id` is theirs, and a name like any other.
            item = int(image) if row["by"] == "item" and _is_id(image) else None
            found.append(_found(where, context, image, label, item, annotator, f"line {line}"))
    return found


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _found(where: Path, context: Context, image: str, label: str, item: int | None, annotator: str, line: str) -> Found:
    known = Found(image, kind=WORDS.get(label, WORDS["!skip"]), annotator=annotator, where=line, item=item)
    if label in WORDS:
        return known
    if context.task == CLASSIFICATION:
        return Found(image, label, annotator=annotator, where=line, item=item)
    try:
        path = where.parent / inside(label, "the mask")
    except LabelError as error:
        return Found(image, problem=str(error), where=line, item=item)
    return Found(image, load=numbers(path, indices(context)), annotator=annotator, where=line, item=item)


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows with their line numbers, as image, label and annotator, and by which column the image is named."""
    table = cells(path, read_text(path))
    header = [name.strip().casefold() for name in next(table)[1]]
    by, label = _column(path, header, _IMAGE, "the image"), _column(path, header, _LABEL, "the label")
    annotator = header.index("annotator") if "annotator" in header else -1
    for line, row in table:
        if len(row) < len(header):
            raise LabelError(
                f"{path} line {line} has {len(row)} cells, its header {len(header)}; "
                "write a separator for every column, also for empty cells"
            )
        named = {"image": row[by], "label": row[label], "by": header[by]}
        yield line, {**named, "annotator": row[annotator] if annotator >= 0 else ""}


def _column(path: Path, header: Sequence[str], names: Sequence[str], what: str) -> int:
    found = [name for name in names if name in header]
    if not found:
        raise LabelError(f"{path} has no column for {what}; its header line must have one of {', '.join(names)}")
    return header.index(found[0])


def write(out: Path, labelled: Sequence[Labelled], context: Context) -> None:
    """Writes item, name and label; masks go to a folder beside it, named after it."""
    if context.task == CLASSIFICATION:
        return _save(out, ("item", "name", "label"), [(one.item, one.name, one.label) for one in labelled])
    values = [value for value, name in indices(context).items() if name is not None]
    with appearing(out.with_name(f"{out.stem}_masks")) as folder:
        folder.mkdir()
        for one in labelled:
            save(folder / f"{one.item}.png", renumbered(one.mask(), values, IGNORE_INDEX))
        # Written inside the block: if the CSV has no place, the folder of masks does not appear either.
        paths = [(one.item, one.name, f"{out.stem}_masks/{one.item}.png") for one in labelled]
        _save(out, ("item", "name", "label"), paths)
    return None


def ask(out: Path, question: Question) -> None:
    """Writes the picks that wait, in rank order, with a label column to fill in."""
    rows = [
        (one.rank, one.item, one.name, "" if one.score is None else f"{one.score:.6g}", "") for one in question.asked
    ]
    _save(out, COLUMNS, rows)


def _save(out: Path, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(columns)
    table.writerows(rows)
    with appearing(out) as path:
        path.write_text(text.getvalue(), encoding="utf-8", errors="surrogateescape", newline="\n")
