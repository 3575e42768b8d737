"""The to-label list and the labels that come back, as CSV: image and label decide, other columns may be there."""

import csv
import io
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pickwell.data.csv_rows import IMAGE, LABEL, NAME, column, escaped, rows, unescaped
from pickwell.data.pool import Pool
from pickwell.errors import LabelError, unknown_item
from pickwell.files import replacing
from pickwell.formats.exchange.names import Names
from pickwell.formats.exchange.provenance import COLUMNS as PROVENANCE
from pickwell.formats.exchange.provenance import MODEL, provenance
from pickwell.items import Kind, Label, Round

WORDS = {"!skip": Kind.SKIP, "!ignore": Kind.IGNORE}
"""What stands in the label column for "ask another time" and "never label it"."""

COLUMNS = ("rank", "item", "name", "score", "label")


class Row(NamedTuple):
    """A row of labels: where it stands, and what it says. `label` is None where the row ends before it.

    `image` is the image's name or, where the row has none, its id; `item` is its id, if it has one.
    `said` is who said it, how long it took and when, as far as it is known.
    """

    where: str
    image: str
    item: int | None
    named: bool
    label: str | None
    said: dict[str, Any]
    others: dict[str, str]

    @property
    def kind(self) -> Kind:
        """What the label says of the image."""
        return WORDS.get(self.label or "", Kind.ANSWER)

    def ends_early(self) -> LabelError:
        """The error of a row that ends before its label."""
        return LabelError(
            f"{self.where} ends before its label; write a separator for every column, also for empty cells"
        )


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
    further = dict.fromkeys(name for row in kept_rows for name in row.others if name not in COLUMNS)
    table = csv.DictWriter(text, [*COLUMNS, *further], restval="", lineterminator="\n")
    table.writeheader()
    for pick in question.waiting:
        score = "" if pick.held_out else f"{pick.score:.6g}"
        asked = {"rank": pick.rank, "item": pick.item, "name": escaped(pool.item(pick.item).name), "score": score}
        before = typed.get(pick.item)
        table.writerow({**before.others, "label": escaped(before.label or ""), **asked} if before else asked)
    with replacing(path, shared=True) as new:
        new.write_text(text.getvalue(), encoding="utf-8", errors="surrogateescape")
        kept = _moved_aside(path) if problem else None
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
        found = _labelled(path, pool, "surrogateescape")
    except LabelError as error:
        return {}, f"it could not be read as a to-label list: {error}"
    return {item: row for item, row in found.items() if row.kind is not Kind.SKIP}, ""


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

    An `item` is an id or a name, other columns of images hold names. Raises LabelError for a file without the columns,
    without a label, with an unknown item, with an id and a name of two items, or with an item twice.
    """
    labelled = _labelled(path, pool)
    if not labelled:
        raise LabelError(f"{path} holds no label; fill in its label column (a class, !skip or !ignore)")
    return [
        Label(item, row.label if row.kind is Kind.ANSWER else None, row.kind, **row.said)
        for item, row in labelled.items()
    ]


def _labelled(path: Path, pool: Pool, errors: str = "strict") -> dict[int, Row]:
    """The rows that have a label, by item; `errors` is as in `rows`."""
    names = Names(pool.manifest)
    labelled: dict[int, Row] = {}
    for row in label_rows(path, errors):
        if row.label == "":
            continue
        item = _meant(row, names, pool)
        if row.label is None:
            _check_unlabelled(row, pool.item(item).name)
            continue
        # Copies have a row each; where these agree, they are one label.
        if item in labelled and (row.label, row.kind) != (labelled[item].label, labelled[item].kind):
            raise LabelError(f"{row.where}: item {item} is there twice, with different labels; keep one row an item")
        labelled[item] = row
    return labelled


def _meant(row: Row, names: Names, pool: Pool) -> int:
    """The item that a row is about; LabelError if there is none, or its id is one image's and its name another's."""
    found = names.find(row.image) if row.named else []
    if row.item is None and len(found) == 1:
        return found[0]
    if row.item is None or row.item >= len(pool):
        said = row.image if row.item is None else str(row.item)
        unknown = f"'{said}' fits several images" if len(found) > 1 else unknown_item(said, len(pool))
        raise LabelError(f"{row.where}: {unknown}; give one of them, or a name of the to-label list")
    # A name that may as well be the label of a row that ends too early is looked at there.
    if row.named and row.label is not None and row.item not in found:
        raise LabelError(
            f"{row.where}: item {row.item} is '{pool.item(row.item).name}' here, but the row names '{row.image}'; "
            "correct it or, if the ids are another campaign's, take their column out"
        )
    return row.item


def label_rows(path: Path, errors: str = "strict") -> Iterator[Row]:
    """The rows of a CSV file of labels; LabelError where its header lacks a column. `errors` is as in `rows`."""
    table = rows(path, errors)
    _, header = next(table, (1, []))
    header = [name.strip() for name in header]
    image, name, label = (column(header, names) for names in (IMAGE, NAME, LABEL))
    known = {name: place for name in PROVENANCE if (place := column(header, (name,))) is not None}
    if image is None or label is None:
        said = f"has the columns {', '.join(header)}" if header else "is empty"
        raise LabelError(
            f"{path} {said}; its header line must name one of the image ({', '.join(IMAGE)}) and one of the label "
            f"({', '.join(LABEL)})"
        )
    by_id = header[image].casefold() == "item"
    for line, row in table:
        cells = [*map(str.strip, row), *[""] * (len(header) - len(row))]
        said = cells[name] if name is not None else ""
        # Other tools count otherwise: an `id` is theirs, and a name like any other.
        item = int(cells[image]) if by_id and _is_id(cells[image]) else None
        who = provenance({name: unescaped(cells[place]) for name, place in known.items()})
        if who["annotator"] == MODEL:
            raise LabelError(
                f"{path} line {line} is the model's own prediction, and no label; where somebody has checked it, put "
                "their name, or nothing, into its annotator column, and remove the others"
            )
        yield Row(
            f"{path} line {line}",
            unescaped(said or cells[image]),
            item,
            bool(said) or item is None,
            unescaped(cells[label]) if label < len(row) else None,
            who,
            {name: cells[place] for place, name in enumerate(header) if place not in (image, label)},
        )


def _is_id(text: str) -> bool:
    # More than 18 digits are no id: ids have 63 bits.
    return text.isascii() and text.isdigit() and len(text) < 19


def _check_unlabelled(row: Row, name: str) -> None:
    """Refuses a row that ends before its label, unless none of its cells can be that label.

    Spreadsheets may leave out the empty cells at a row's end: Excel does where the same cells of the rows around are
    empty, too.
    """
    # As far as ASCII goes: what spreadsheets take for another encoding comes back as other letters.
    said = unescaped(row.others.get("name", "")) or name
    is_name = said.encode("ascii", "ignore") == name.encode("ascii", "ignore")
    others = [cell for column, cell in row.others.items() if column != "name"]
    if not is_name or not all(re.fullmatch(r"[-+0-9.,eE]*", cell) for cell in others):
        raise row.ends_early()
