"""How the tools that images pass through spell their names, so that these are found again."""

import re
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from pickwell.data.tree import SUFFIXES
from pickwell.spelling import composed


def without_ending(name: str) -> str:
    """The name without the ending of an image file; other endings belong to the name.

    >>> without_ending("cats/a.1.jpg"), without_ending("v1.5")
    ('cats/a.1', 'v1.5')
    """
    ending = PurePosixPath(name).suffix
    return name[: -len(ending)] if ending.lower() in SUFFIXES else name


_ENDINGS = re.compile(rf"([._]({'|'.join(suffix[1:] for suffix in sorted(SUFFIXES))}))+$", re.IGNORECASE)


class Reading(NamedTuple):
    """How a name of the pool and one that is said are spelt to be compared; None if it is none of the kind."""

    known: Callable[[str], str]
    said: Callable[[str], str | None]


def _or_without_ending(reading: Reading) -> tuple[Reading, Reading]:
    """The reading, and the same for names without the endings of image files."""

    def said(name: str) -> str | None:
        spelt = reading.said(name)
        return None if spelt is None else without_ending(spelt)

    return reading, Reading(lambda name: without_ending(reading.known(name)), said)


def of_address(name: str) -> str:
    """The path that an address leads to: Label Studio's and others' files may have that in place of a name.

    >>> of_address("http://localhost/data/local-files/?d=photos/b%20c.png"), of_address("s3://bucket/b%20c.png?x=1")
    ('photos/b c.png', '/b c.png')
    """
    try:
        address = urlsplit(name)
    except ValueError:
        return name
    local = parse_qs(address.query).get("d", [""])[0] if "local-files" in address.path else ""
    return local or unquote(address.path)


def _last(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2]


def _uploaded(name: str) -> str | None:
    """The name that Label Studio was given: its own begins with eight hexadecimal digits, and lies in one folder."""
    found = re.fullmatch("[0-9a-f]{8}-(.+)", _last(name), re.DOTALL)
    return _valid(found[1]) if found else None


def _valid(name: str) -> str:
    """A file's name as Django, and so Label Studio, keeps it: no spaces, parentheses or signs."""
    return re.sub(r"[^-\w.]", "", _last(name).strip().replace(" ", "_"))


def _augmented(name: str) -> str | None:
    """The name that Roboflow was given: `a (1).jpg` comes back as `a-1-_jpg.rf.HASH.jpg`, once for each variant."""
    # No file's name is longer; endings without end would be looked for without end.
    found = re.fullmatch(r"(.{1,255})\.rf\.[0-9A-Za-z]{8,}(\.\w{3,4})?", _last(name), re.DOTALL)
    return _slug(found[1]) if found else None


def _slug(name: str) -> str:
    """A file's name without what Roboflow makes of its ending, and of signs."""
    return re.sub(r"[\W_]+", "-", _ENDINGS.sub("", _last(name)))


def _mended(name: str) -> str | None:
    """The name of which a spreadsheet took the UTF-8 for Windows' Western letters; None if it did not."""
    try:
        # Windows shows the five bytes without a letter there as controls.
        data = b"".join(sign.encode("latin-1" if sign < "\u0100" else "cp1252") for sign in name)
        return None if data.isascii() else data.decode()
    except UnicodeError:
        return None


READINGS = (
    *_or_without_ending(Reading(str, str)),
    *_or_without_ending(Reading(composed, composed)),
    *_or_without_ending(Reading(_valid, _uploaded)),
    Reading(_slug, _augmented),
    *_or_without_ending(Reading(str, _mended)),
)
"""All readings, the strictest first: a looser one never takes a name from an image that a stricter one means."""
