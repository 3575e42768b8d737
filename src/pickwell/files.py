"""Replacing a file so that a kill never leaves half of it, and telling whether one is what it was."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pickwell.errors import PoolError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A new file beside `path` to write to, which takes its place, synced to the disk, when the block ends well."""
    new = path.with_name(f".{path.name}.new")
    try:
        yield new
        # The file before it gets its name, and the folder, so that the name survives a power cut.
        _sync(new)
        new.replace(path)
        _sync(path.parent)
    except OSError as error:
        raise PoolError(
            f"cannot write {path}: {error.strerror or error}; it is as it was. Make room or give permission, "
            "then repeat the command"
        ) from error
    finally:
        new.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def digest(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
