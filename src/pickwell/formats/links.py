"""The to-label list as a folder of links, `0001_<name>`, so that any viewer shows it in rank order.

Use when: people look at the picks in an image viewer.
Source: ours.
"""

from pathlib import Path

from pickwell.formats.exchange.found import Question
from pickwell.formats.exchange.names import inside
from pickwell.formats.exchange.paths import appearing
from pickwell.formats.folders import place_image

OPTIONS = {"ask": ("--copies",)}


def ask(out: Path, question: Question) -> None:
    """Writes links to the images that are files, unless copies are wanted, and copies of the others."""
    digits = max(4, len(str(max((one.rank for one in question.asked), default=0))))
    with appearing(out) as folder:
        folder.mkdir()
        for one in question.asked:
            place_image(folder / f"{one.rank:0{digits}}_{inside(one.name).name}", one, question.copies)
