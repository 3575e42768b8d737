"""Files that came from somewhere else, read with bounds; and results that appear whole or not at all."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.parsers import expat

from pickwell.data.csv_rows import BYTES
from pickwell.data.image_errors import ImageError
from pickwell.data.reading import read_bytes
from pickwell.errors import LabelError
from pickwell.files import replacing

PICTURE_BYTES = 1 << 29
"""The largest mask file that is read."""

PARTS = 10_000_000
"""The most lists and objects, or XML elements, of one file: many small ones need a hundred times its size."""

_DEPTH = 64


def read(path: Path, most: int = BYTES) -> bytes:
    """The bytes of a regular file; LabelError if it is none, or larger than `most`."""
    try:
        return read_bytes(path, most)
    except ImageError as error:
        raise LabelError(f"{path} cannot be read: {error}; name a file that can") from None


def read_text(path: Path) -> str:
    """The text of a UTF-8 file, with or without a byte order mark."""
    try:
        return read(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise LabelError(f"{path} is not UTF-8 text (byte {error.start}); save it as UTF-8") from None


def read_json(path: Path) -> Any:
    """What a JSON file holds; LabelError if it is none, or nested without end. NaN and Infinity are no JSON."""
    text = read_text(path)
    if (nested := text.count("[") + text.count("{")) > PARTS:
        raise LabelError(f"{path} has {nested:,} lists and objects; at most {PARTS:,} are read: split it")
    try:
        return json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        said = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise LabelError(f"{path} is not JSON: {said}; export it again") from None


def _no_number(said: str) -> float:
    raise ValueError(f"{said} is no number")


def read_elements(path: Path, root: str) -> list[tuple[int, str, dict[str, str]]]:
    """The elements of an XML file in order: depth, name, attributes. Texts are left out.

    No document type, hence no entities: neither expands without end nor reads other files.
    """
    found: list[tuple[int, str, dict[str, str]]] = []
    nesting: list[str] = []

    def refuse(*_: object) -> None:
        raise LabelError(f"{path} declares a document type; files of this format have none: remove it")

    def begin(name: str, attributes: dict[str, str]) -> None:
        if not nesting and name != root:
            raise LabelError(f"{path} is <{name}>, not <{root}>; export it in the format that was named")
        if len(nesting) >= _DEPTH:
            raise LabelError(f"{path} is nested more than {_DEPTH} deep; export it again")
        if len(found) >= PARTS:
            raise LabelError(f"{path} has more than {PARTS:,} elements; split it")
        found.append((len(nesting), name, attributes))
        nesting.append(name)

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler, parser.StartElementHandler = refuse, begin
    parser.EndElementHandler = lambda _: nesting.pop()
    text = read(path)
    try:
        parser.Parse(text, True)
    except LabelError:
        raise
    except (expat.ExpatError, LookupError, ValueError) as error:  # the latter two of encodings that expat cannot read
        raise LabelError(f"{path} is not XML: {error}; export it again, as UTF-8") from None
    return found


def files_below(folder: Path, ending: str) -> list[tuple[str, Path]]:
    """The files of that ending below a folder, at any depth: names from the folder and paths, sorted by name.

    An ending that is an extension alone is found in capitals, too; `_l.png` is not `_L.png`.
    """
    if not folder.is_dir():
        raise LabelError(f"{folder} is no folder; name the folder that holds the files")
    read_as = str.lower if ending.startswith(".") else str
    found: list[Path] = []
    # Symbolic links to folders are not followed: they may form a loop.
    for here, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(here, name) for name in names if name[0] != "." and read_as(name).endswith(ending)]
    return sorted((path.relative_to(folder).as_posix(), path) for path in found)


def a_list(value: Any, what: str) -> list[Any]:
    """The value, if it is a list."""
    if not isinstance(value, list):
        raise LabelError(f"{what} is {shown(value)}; it must be a list")
    return value


def a_table(value: Any, what: str) -> dict[str, Any]:
    """The value, if it is a JSON object."""
    if not isinstance(value, dict):
        raise LabelError(f"{what} is {shown(value)}; it must be an object")
    return value


def a_text(value: Any, what: str) -> str:
    """The value, if it is a text that is not empty."""
    if not isinstance(value, str) or not value:
        raise LabelError(f"{what} is {shown(value)}; it must be a text")
    return value


def a_number(value: Any, what: str, most: int = 1 << 31) -> int:
    """The value, if it is a whole number from 0 to `most`."""
    if type(value) is not int or not 0 <= value <= most:  # no isinstance: True is an int, too
        raise LabelError(f"{what} is {shown(value)}; it must be a whole number from 0 to {most}")
    return value


def shown(value: Any) -> str:
    """A value as a message shows it: never long."""
    if isinstance(value, list | dict):
        return f"a {'list' if isinstance(value, list) else 'table'} of {len(value)}"
    said = repr(value)
    return said if len(said) <= 60 else said[:57] + "..."


def save(path: Path, data: bytes) -> None:
    """Writes a file, with the folders that it lies in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


@contextmanager
def appearing(out: Path) -> Iterator[Path]:
    """A path to write a file or a folder at, which takes the place `out` when the block ends well; it must be free."""
    if out.exists() or out.is_symlink():
        raise LabelError(f"{out} is there already; name another place, or remove it")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with replacing(out, durable=False, shared=True) as new:
            yield new
    except OSError as error:
        raise LabelError(f"{out} cannot be written: {error.strerror or error}; make room or name another") from None
