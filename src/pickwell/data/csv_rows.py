"""CSV files as they are read everywhere: lists of images, to-label lists, other tools' labels."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from pickwell.data.image_errors import ImageError
from pickwell.data.reading import opened
from pickwell.errors import LabelError

IMAGE = ("item", "path", "name", "filename", "file", "image", "id")
LABEL = ("label", "class", "target")
"""The names of the columns of images and labels; of several that a header has, the first in this order counts."""

BYTES = 1 << 29
"""The largest text file that is read."""


def rows(path: Path, errors: str = "strict") -> Iterator[tuple[int, list[str]]]:
    """The rows with their line numbers, the header first; `errors` is what becomes of bytes that are no UTF-8.

    Tabs separate in a .tsv; elsewhere commas, semicolons or tabs, of which the header has most. Blank rows are passed
    over. LabelError for a file that is no such table, or has a row longer than the header.
    """
    line = 1
    try:
        with opened(path, BYTES) as file:
            if b"\0" in file.peek():  # UTF-16, or no text at all
                raise UnicodeError
            # Spreadsheets put a byte order mark first.
            text = io.TextIOWrapper(file, encoding="utf-8-sig", errors=errors, newline="")
            first = text.readline()
            # Where commas are decimal points, spreadsheets write semicolons.
            delimiter = "\t" if path.suffix.lower() == ".tsv" else max(",;\t", key=first.count)
            table = csv.reader(chain([first], text), delimiter=delimiter, strict=True)
            width = None
            for row in table:
                if width is not None and len(row) > width:
                    raise LabelError(
                        f"{path} line {line} has {len(row)} cells, its header {width}; "
                        "quote values that hold a separator"
                    )
                if any(map(str.strip, row)):
                    width = len(row) if width is None else width
                    yield line, row
                line = table.line_num + 1
    except UnicodeError:
        raise LabelError(f"{path} is not UTF-8 text; save it as CSV in UTF-8") from None
    except csv.Error as error:
        raise LabelError(f"{path} line {line} is not CSV: {error}; mend it, its quotes first") from None
    except ImageError as error:
        raise LabelError(f"{path} cannot be read: {error}; name a file that can") from None


# Other spreadsheets run the wide forms, too, and some pass over white space before a sign.
_RUN = r"[=+\-@\uff1d\uff0b\uff0d\uff20\s]"


def escaped(text: str) -> str:
    """The text as a cell that no spreadsheet runs as a formula: with an apostrophe before it if it might.

    >>> escaped("=1+2"), escaped("'-x"), escaped("it's"), escaped("' '")
    ("'=1+2", "''-x", "it's", "'' '")
    """
    return f"'{text}" if re.match(f"'*{_RUN}", text) else text


def unescaped(cell: str) -> str:
    """The text of which `escaped` makes the cell; what it would not write stays as it is.

    >>> unescaped("'=1+2"), unescaped("=1+2"), unescaped("'tis")
    ('=1+2', '=1+2', "'tis")
    """
    return cell[1:] if re.match(f"'+{_RUN}", cell) else cell


def column(header: Sequence[str], names: Sequence[str]) -> int | None:
    """The place in a header of the first of `names` that it has, in capitals or not; None if it has none.

    >>> column(["Label ", "File"], IMAGE)
    1
    """
    known = [name.strip().casefold() for name in header]
    return next((known.index(name) for name in names if name in known), None)
