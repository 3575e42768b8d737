"""The data.yaml of a YOLO data set, or the classes.txt in its place: class names, and where the images are."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from pickwell.errors import LabelError
from pickwell.formats.exchange.paths import read_text, shown

_LONGEST = 1000
"""Characters of a line of names: a longer one would take the pattern too long."""

# `- name` or `3: name`, quoted or not, and perhaps a comment behind it.
_ENTRY = re.compile(r"""(?:-|(\d+)\s*:)\s*(?:("(?:[^"\\]|\\.)*")|'((?:[^']|'')*)'|([^"'#\[\]{}]+?))\s*(?:#.*)?""")

_PART = re.compile(r"""(?:"[^"]*"|'[^']*'|[^"',\]}])*""")
"""A part of a list in brackets: quotes may hold commas and brackets."""


def data_yaml(splits: Sequence[str], classes: Sequence[str]) -> str:
    """The text of a data.yaml beside the folders `images/SPLIT`, and `labels/SPLIT` with a file of each image."""
    train = "train" if "train" in splits else splits[0]
    used = {"train": train, "val": "val" if "val" in splits else train, "test": "test" if "test" in splits else ""}
    places = [f"{name}: images/{split}\n" for name, split in used.items() if split]
    # A text in JSON is one in YAML.
    names = [f"  {number}: {json.dumps(name, ensure_ascii=False)}\n" for number, name in enumerate(classes)]
    labelled = "# Also the images without a polygon are labelled.\nlabelled: true\n"
    return "".join((*places, labelled, "names:\n", *names))


def all_labelled(where: Path) -> bool:
    """Whether the data.yaml says, as ours do, that images without a polygon are labelled, too."""
    path = where / "data.yaml"
    return path.exists() and bool(re.search(r"^labelled[ \t]*:[ \t]*true\b", read_text(path), re.MULTILINE))


def class_names(where: Path) -> dict[int, str]:
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


def _unquoted(double: str | None, single: str | None, bare: str | None) -> str:
    """The text of an entry in double quotes, in single ones or in none; "" where its escapes are none."""
    if double is None:
        return single.replace("''", "'") if single is not None else bare or ""
    try:
        return str(json.loads(double)) if "\\" in double else double[1:-1]
    except ValueError:
        return ""


def _numbered(path: Path, entries: list[str]) -> dict[int, str]:
    """Names by number: of entries like `- cat`, by place, or like `3: cat`."""
    names: dict[int, str] = {}
    for place, entry in enumerate(entries):
        found = _ENTRY.fullmatch(entry) if len(entry) < _LONGEST else None
        name = _unquoted(*found.group(2, 3, 4)).strip() if found else ""
        number = int(found[1]) if found and found[1] and len(found[1]) < 10 else place
        if not name or number in names:
            raise LabelError(f"{path} has names that cannot be read (at {shown(entry)}); write one `- name` a line")
        names[number] = name
    if not names:
        raise LabelError(f"{path} has no names; add the list of class names")
    return names
