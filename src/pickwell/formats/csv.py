"""CSV: a header line, a column for the image and one for its label; other columns may be there.

Use when: labels go through a spreadsheet, an editor or a script.
Source: RFC 4180.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pickwell.data.csv_rows import escaped
from pickwell.errors import LabelError
from pickwell.formats.exchange.found import SEGMENTATION, Context, Found, Labelled, Question
from pickwell.formats.exchange.mask_pictures import renumbered
from pickwell.formats.exchange.names import inside
from pickwell.formats.exchange.paths import appearing, save
from pickwell.formats.exchange.provenance import COLUMNS as PROVENANCE
from pickwell.formats.exchange.provenance import told
from pickwell.formats.masks import own
from pickwell.formats.to_label_csv import COLUMNS, Row, label_rows
from pickwell.items import Kind

KINDS = tuple(Kind)


def read(where: Path, context: Context) -> list[Found]:
    """The rows with a label: an answer, !skip, !ignore or, of masks, the path of a file of class indices.

    A mask's path is relative to the CSV and stays below its folder. Commas, semicolons or tabs separate.
    """
    return [_found(where, context, row) for row in label_rows(where) if row.label != ""]


def _found(where: Path, context: Context, row: Row) -> Found:
    if row.label is None:
        raise row.ends_early()
    # Ids may be another campaign's, names are those of the images.
    item = None if row.named else row.item
    is_mask = row.kind is Kind.ANSWER and context.task == SEGMENTATION
    label = row.label if row.kind is Kind.ANSWER and not is_mask else None
    known = Found(row.image, label, kind=row.kind, where=row.where, item=item, **row.said)
    if not is_mask:
        return known
    try:
        path = where.parent / inside(row.label, "the mask")
    except LabelError as error:
        return replace(known, problem=str(error))
    return replace(known, load=own(path, context))


def write(out: Path, labelled: Sequence[Labelled], context: Context) -> None:
    """Writes item, name, label, who said it, how long it took and when; masks go to a folder named after the file."""
    if context.task != SEGMENTATION:
        return _save_labels(out, labelled, [one.label for one in labelled])
    *values, void = context.values.numbers
    folder_name = f"{out.stem}_masks"
    with appearing(out.with_name(folder_name)) as folder:
        folder.mkdir()
        for one in labelled:
            if one.kind is Kind.ANSWER:
                save(folder / f"{one.item}.png", renumbered(one.mask(), values, void))
        # Written inside the block: if the CSV has no place, the folder of masks does not appear either.
        _save_labels(out, labelled, [f"{folder_name}/{one.item}.png" for one in labelled])
    return None


def _save_labels(out: Path, labelled: Sequence[Labelled], answers: Sequence[str]) -> None:
    columns = (*PROVENANCE, *(["confidence"] if any(one.confidence is not None for one in labelled) else ()))
    rows = []
    for one, answer in zip(labelled, answers, strict=True):
        known = told(one)
        label = answer if one.kind is Kind.ANSWER else f"!{one.kind}"
        rows.append([one.item, *map(escaped, (one.name, label, *(known.get(column, "") for column in columns)))])
    _save(out, ("item", "name", "label", *columns), rows)


def ask(out: Path, question: Question) -> None:
    """Writes the picks that wait, in rank order, with a label column to fill in."""
    rows = [
        (one.rank, one.item, escaped(one.name), "" if one.score is None else f"{one.score:.6g}", "")
        for one in question.asked
    ]
    _save(out, COLUMNS, rows)


def _save(out: Path, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(columns)
    table.writerows(rows)
    with appearing(out) as path:
        path.write_text(text.getvalue(), encoding="utf-8", errors="surrogateescape", newline="\n")
