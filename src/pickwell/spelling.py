"""How names are spelt: which characters none of a class or a person holds, and when two spellings are one name."""

import re
import unicodedata
from collections.abc import Collection

STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Controls (escape sequences begin with one), line separators, marks that turn the reading direction, half characters.

Joiners, spaces of any width and emoji are letters like any other: languages need them.
"""
NO_STEERING = "no control characters and no marks that turn the reading direction"
"""What a name has that is fit for a screen, as sentences say it."""


def printable(text: object) -> str:
    r"""The text with the characters that would steer a screen shown as their codes.

    >>> printable("gull\x1b[2J\n.jpg")
    'gull\\x1b[2J\\n.jpg'
    """
    return STEERING.sub(lambda found: found[0].encode("unicode_escape").decode(), str(text))


def composed(name: str) -> str:
    """The name in NFC: Macs write `ü` as `u` and two dots, which is another text but the same name."""
    return unicodedata.normalize("NFC", name)


def alike(name: str, names: Collection[str]) -> str | None:
    r"""The one of `names` that is spelt so, else the only one that is the same in NFC; None where there is none.

    >>> ascii(alike("M\u00fcller", ["gull", "Mu\u0308ller"]))
    "'Mu\\u0308ller'"
    """
    if name in names:
        return name
    same = [other for other in names if composed(other) == composed(name)]
    return same[0] if len(same) == 1 else None
