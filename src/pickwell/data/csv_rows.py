"""CSV files as they are read everywhere: lists of images, to-label lists, other tools' labels."""

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from pickwell.data.image_errors import ImageError
from pickwell.data.reading import is_zip, opened
from pickwell.errors import LabelError

NAME = ("path", "name", "filename", "file_name", "file", "image", "image_id", "id")
IMAGE = ("item", *NAME)
LABEL = ("label", "class", "category", "choice", "target")
"""The names of the columns of images and labels; of several that a header has, the first in this order counts.

An `item` is a number of one pool, or a name as in the other columns.
"""

BYTES = 1 << 29
"""The largest text file that is read."""


def rows(path: Path, errors: str = "strict") -> Iterator[tuple[int, list[str]]]:
    """The rows with their line numbers, the header first; `errors` is what becomes of bytes that are no UTF-8.

    Tabs separate in a .tsv; elsewhere what Excel's line `sep=` says, else commas, semicolons or tabs, by which the
    header has most cells. Blank rows are passed over. LabelError for a file that is no such table, or has a row longer
    than the header.
    """
    line = 1
    try:
        with opened(path, BYTES) as file:
            text = io.TextIOWrapper(file, encoding=_encoding(file.peek()), errors=errors, newline="")
            first = text.readline()
            if said := re.fullmatch(r'"?sep=([,;\t])"?\s*', first):
                first, line = text.readline(), 2
            delimiter = said[1] if said else _delimiter(path, first)
            above = line - 1
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
                line = above + table.line_num + 1
    except UnicodeError:
        what = "a zip archive, as workbooks are; unzip it, or" if is_zip(path) else "not UTF-8 text;"
        raise LabelError(f"{path} is {what} save it as CSV in UTF-8") from None
    except csv.Error as error:
        raise LabelError(f"{path} line {line} is not CSV: {error}; mend it, its quotes first") from None
    except ImageError as error:
        raise LabelError(f"{path} cannot be read: {error}; name a file that can") from None


def _encoding(start: bytes) -> str:
    """The encoding of a text that begins so: UTF-8, or UTF-16 by its mark; UnicodeError if it is no text at all."""
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\0" in start:
        raise UnicodeError
    return "utf-8-sig"


def _delimiter(path: Path, header: str) -> str:
    # Where commas are decimal points, spreadsheets write semicolons.
    cells = {sign: len(next(csv.reader([header], delimiter=sign), ())) for sign in ",;\t"}
    return "\t" if path.suffix.lower() == ".tsv" else max(cells, key=lambda sign: cells[sign])


# Other spreadsheets run the wide forms, too, and some pass over white space before a sign.
_RUN = r"[=+\-@\uff1d\uff0b\uff0d\uff20\s]"
_RISKY, _ESCAPED = re.compile(f"'*{_RUN}"), re.compile(f"'+{_RUN}")


def escaped(text: str) -> str:
    """The text as a cell that no spreadsheet runs as a formula: with an apostrophe before it if it might.

    >>> escaped("=1+2"), escaped("'-x"), escaped("it's"), escaped("' '")
    ("'=1+2", "''-x", "it's", "'' '")
    """
    return f"'{text}" if _RISKY.match(text) else text


def unescaped(cell: str) -> str:
    """The text of which `escaped` makes the cell; what it would not write stays as it is.

    >>> unescaped("'=1+2"), unescaped("=1+2"), unescaped("'tis")
    ('=1+2', '=1+2', "'tis")
    """
    return cell[1:] if _ESCAPED.match(cell) else cell


def column(header: Sequence[str], names: Sequence[str]) -> int | None:
    """The place in a header of the first of `names` that it has, in capitals or not; None if it has none.

    >>> column(["Label ", "File"], IMAGE)
    1
    """
    known = [name.strip().casefold() for name in header]
    return next((known.index(name) for name in names if name in known), None)
