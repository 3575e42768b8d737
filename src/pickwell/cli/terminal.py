"""Text for a terminal: what a file's name holds must not steer it."""

import re

from rich.markup import escape

# C0 and C1 controls (escape sequences begin with one), line separators, and marks that reverse the reading direction.
STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def printable(text: object) -> str:
    r"""The text with the characters that would steer a terminal shown as their codes.

    >>> printable("gull\x1b[2J\n.jpg")
    'gull\\x1b[2J\\n.jpg'
    """
    return STEERING.sub(lambda found: found[0].encode("unicode_escape").decode(), str(text))


def plain(text: object) -> str:
    """The text as rich prints it letter by letter: neither markup nor control characters."""
    return escape(printable(text))
