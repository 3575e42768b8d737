"""The to-label list as text: one image name a line, in rank order.

Use when: a script wants the names of the picks and nothing else.
Source: ours.
"""

from pathlib import Path

from pickwell.errors import LabelError
from pickwell.formats.exchange.found import Question
from pickwell.formats.exchange.paths import appearing


def ask(out: Path, question: Question) -> None:
    """Writes the names of the picks that wait."""
    odd = [one.name for one in question.asked if len(one.name.splitlines()) != 1]
    if odd:
        raise LabelError(f"the image {odd[0]!r} has a line break in its name; write the list as csv")
    with appearing(out) as path:
        lines = "".join(f"{one.name}\n" for one in question.asked)
        path.write_text(lines, encoding="utf-8", errors="surrogateescape", newline="\n")
