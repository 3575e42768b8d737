"""Text for a terminal: what a file's name holds must not steer it."""

from rich.markup import escape

from pickwell.spelling import printable


def plain(text: object) -> str:
    """The text as rich prints it letter by letter: neither markup nor control characters."""
    return escape(printable(text))
