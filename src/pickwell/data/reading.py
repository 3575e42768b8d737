"""Reading a file that may be anything."""

import os
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple

from pickwell.data.image_errors import ImageError, Reason
from pickwell.errors import PickwellError

# Opening a named pipe would otherwise wait for its writer for ever.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class Stamp(NamedTuple):
    """A file's size in bytes, and when it was last modified, in ns: what has kept both is taken for the same."""

    size: int
    modified: int


def stamp(path: Path | None) -> Stamp | None:
    """The stamp of a file; None where there is none, or where it cannot be seen."""
    try:
        found = path.stat() if path else None
    except (OSError, ValueError):
        return None
    return found and Stamp(found.st_size, found.st_mtime_ns)


def read_bytes(path: Path, most: int) -> bytes:
    """The content of a regular file of at most `most` bytes; raises ImageError with the reason otherwise."""
    with opened(path, most) as file:
        return file.read()


def is_zip(path: Path) -> bool:
    """Whether it is a zip archive, under whatever name."""
    return path.is_file() and zipfile.is_zipfile(path)


@contextmanager
def opened(path: Path, most: int) -> Iterator[BufferedReader]:
    """A regular file of at most `most` bytes, to read in the block; raises ImageError with the reason otherwise."""
    try:
        with open(path, "rb", opener=_opener) as file:
            # Looked at once it is open: a path may name another file a moment later.
            _check(os.fstat(file.fileno()), most)
            yield file
    except (PickwellError, UnicodeError):
        raise
    except FileNotFoundError as error:
        raise ImageError(Reason.MISSING, str(path)) from error
    except IsADirectoryError as error:
        raise ImageError(Reason.NOT_A_FILE, "it is a folder") from error
    except (OSError, ValueError) as error:
        raise ImageError(Reason.UNREADABLE, getattr(error, "strerror", None) or str(error)) from error


def _opener(path: str, _: int) -> int:
    return os.open(path, _FLAGS)


def _check(found: os.stat_result, most: int) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise ImageError(Reason.NOT_A_FILE, "it is a folder" if stat.S_ISDIR(found.st_mode) else "a device or a pipe")
    if found.st_size > most:
        raise ImageError(Reason.TOO_LARGE, f"{found.st_size:,} bytes; at most {most:,} are read")
