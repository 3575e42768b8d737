"""YOLO segmentation (in only): `labels/.../x.txt`, a class and the corners of a polygon a line, in shares of the image.

Use when: labels come from a data set made for YOLO.
Source: https://docs.ultralytics.com/datasets/segment/

Names come from data.yaml or classes.txt beside the folder labels.
"""

import math
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pickwell.errors import LabelError
from pickwell.formats.exchange.found import SEGMENTATION, Codes, Context, Found, Size
from pickwell.formats.exchange.paths import files_below, read_text, shown
from pickwell.formats.exchange.shapes import fill, paint

TASKS = (SEGMENTATION,)

Corners = NDArray[np.float64]
"""The corners `(N, 2)` of a polygon, in pixels."""

_SLACK = 0.01
"""So far beyond the image's edge a corner may lie: tools round."""

_LONGEST = 1000
"""Characters of a line of names: a longer one would take the pattern too long."""

# `- name` or `3: name`, quoted or not, and perhaps a comment behind it.
_ENTRY = re.compile(r"""(?:-|(\d+)\s*:)\s*(?:"([^"]*)"|'([^']*)'|([^"'#\[\]{}]+?))\s*(?:#.*)?""")

_PART = re.compile(r"""(?:"[^"]*"|'[^']*'|[^"',\]}])*""")
"""A part of a list in brackets: quotes may hold commas and brackets."""


def read(where: Path, context: Context) -> list[Found]:
    """The images with at least one polygon (all of them, if a background class is named); smaller ones lie on top."""
    names = _names(where)
    found = []
    for folder in _label_folders(where):
        for name, path in files_below(folder, ".txt"):
            lines = [line.strip() for line in read_text(path).splitlines() if line.strip()]
            if lines or context.background:
                image = _image(folder.parent.relative_to(where), name.removesuffix(".txt"), context)
                said = path.relative_to(where).as_posix()
                found.append(Found(image, load=partial(_painted, lines, names), where=said))
    return found


def _label_folders(where: Path) -> list[Path]:
    """The folders of labels: one, or one a split as Roboflow writes them."""
    own = where / "labels"
    return [own] if own.is_dir() else sorted(path for path in where.glob("*/labels") if path.is_dir()) or [own]


def _image(split: Path, name: str, context: Context) -> str:
    """The name of a split's image, in the folder `images` where the pool has it so."""
    beside = (split / "images" / name).as_posix()
    return beside if context.knows(beside) else (split / name).as_posix()


def _painted(lines: list[str], names: dict[int, str], size: Size) -> Codes:
    """The polygons of one file."""
    shapes = sorted(_shapes(lines, names, size), key=lambda shape: -_area(shape[1]))
    return paint(((name, fill(corners, size)) for name, corners in shapes), size)


def _shapes(lines: list[str], names: dict[int, str], size: Size) -> Iterator[tuple[str, Corners]]:
    """Class and corners, in pixels, of each line."""
    for number, line in enumerate(lines, 1):
        what = f"line {number}"
        first, *rest = line.split()
        if not first.isascii() or not first.isdigit() or len(first) > 9 or int(first) not in names:
            raise LabelError(f"{what} has the class {shown(first)}, which names does not have")
        if len(rest) == 4:
            raise LabelError(f"{what} is a box, not a polygon; export segmentation labels")
        yield names[int(first)], _corners(rest, what) * np.array(size)


def _area(corners: Corners) -> float:
    """The area of a polygon in pixels, by the shoelace formula."""
    x, y = corners.T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


def _corners(rest: list[str], what: str) -> Corners:
    try:
        values = [float(value) for value in rest]
    except ValueError:
        raise LabelError(f"{what} has coordinates that are no numbers") from None
    if len(values) % 2 or len(values) < 6:
        raise LabelError(f"{what} has {len(values)} coordinates; a polygon has x and y of at least 3 corners")
    if not all(math.isfinite(value) and -_SLACK <= value <= 1 + _SLACK for value in values):
        raise LabelError(f"{what} has coordinates that are not between 0 and 1")
    return np.array(values).reshape(-1, 2)


def _names(where: Path) -> dict[int, str]:
    """The class names by number, from whichever file has them."""
    files = ("data.yaml", "dataset.yaml", "data.yml", "classes.txt")
    # Where `where` is one split of several, their names lie one up.
    every = (folder / file for folder in (where, where.absolute().parent) for file in files)
    path = next((path for path in every if path.exists()), None)
    if path is None:
        raise LabelError(
            f"{where} holds neither data.yaml nor classes.txt, so its class numbers have no names; add one"
        )
    if path.suffix != ".txt":
        return _yaml_names(path)
    # A name's line is its number, so a blank one is a number without a name.
    lines = read_text(path).splitlines()
    return {number: line.strip() for number, line in enumerate(lines) if line.strip()}


def _yaml_names(path: Path) -> dict[int, str]:
    """The entry `names` of a data.yaml: a list in brackets or of dashes, or numbers and names, in braces or not."""
    text = read_text(path).replace("\r\n", "\n")
    begin = re.search(r"^names\s*:[ \t]*(.*)$", text, re.MULTILINE)
    if begin is None:
        raise LabelError(f"{path} has no entry names; add the list of class names")
    if begin[1].startswith(("[", "{")):
        dash = "- " if begin[1].startswith("[") else ""
        entries = [dash + part for part in _bracketed(text, begin.start(1) + 1)]
    else:
        rest = text[begin.end() :].splitlines()[1:] if not begin[1] or begin[1].startswith("#") else [""]
        entries = [line.strip() for line in _block(rest)]
    return _numbered(path, entries)


def _bracketed(text: str, at: int) -> list[str]:
    """The parts of a list from there to its end, which commas separate; one that is empty if it has no end."""
    parts = []
    while found := _PART.match(text, at):
        parts.append(found[0].strip())
        at = found.end() + 1
        if text[found.end() : at] != ",":
            break
    return [part for part in parts if part] if text[at - 1 : at] in ("]", "}") else [""]


def _block(lines: list[str]) -> Iterator[str]:
    """The lines that belong to an entry: up to the first that begins at the margin."""
    for line in lines:
        if line.strip() and not line.strip().startswith("#"):
            if not line.startswith((" ", "\t", "-")):
                return
            yield line


def _numbered(path: Path, entries: list[str]) -> dict[int, str]:
    """Names by number: of entries like `- cat`, by place, or like `3: cat`."""
    names: dict[int, str] = {}
    for place, entry in enumerate(entries):
        found = _ENTRY.fullmatch(entry) if len(entry) < _LONGEST else None
        name = (found[2] or found[3] or found[4] or "").strip() if found else ""
        number = int(found[1]) if found and found[1] and len(found[1]) < 10 else place
        if not name or number in names:
            raise LabelError(f"{path} has names that cannot be read (at {shown(entry)}); write one `- name` a line")
        names[number] = name
    if not names:
        raise LabelError(f"{path} has no names; add the list of class names")
    return names
