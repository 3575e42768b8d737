"""Which files are there now, of as many as a pool has."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from pickwell.data.sources import Source


def there(source: Source, paths: Sequence[str]) -> Iterator[bool]:
    """Of each path in the source whether its file is there; always where images are no files.

    Each folder is looked into once, so that a million files take seconds. A link whose target is gone is not there.
    """
    held: dict[str, frozenset[str]] = {}
    for path in paths:
        folder, _, name = path.rpartition("/")
        if folder not in held:
            held[folder] = _names(source.file(folder or "."))
        # A path may be written otherwise than its folder has it, where capitals do not matter.
        yield name in held[folder] or (file := source.file(path)) is None or file.exists()


def _names(folder: Path | None) -> frozenset[str]:
    if folder is None:
        return frozenset()
    try:
        with os.scandir(folder) as found:
            return frozenset(one.name for one in found if not one.is_symlink() or Path(one.path).exists())
    except (OSError, ValueError):
        return frozenset()
