"""The texts that come from outside: what both databases keep."""

from pickwell.errors import LabelError


def check_text(subject: str, text: str) -> None:
    """Raises LabelError for a text that cannot be stored.

    PostgreSQL keeps no NUL character, and neither database half of a surrogate pair.
    """
    if "\0" in text or text != text.encode(errors="replace").decode():
        raise LabelError(f"the text {text!r} of a {subject} has characters that cannot be stored; use valid Unicode")


def used(event: str) -> str:
    """The sentence about an event's id that is another's."""
    return f"the event '{event}' was something else before; nothing was kept, send this under an id of its own"
