"""Replacing a file so that a kill never leaves half of it, locking, and telling whether a file is what it was."""

import hashlib
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from pickwell.errors import BusyError


@contextmanager
def replacing(path: Path, *, durable: bool = True, shared: bool = False) -> Iterator[Path]:
    """A new file (or folder) beside `path` to write to, which takes its place when the block ends well.

    `durable` syncs it to the disk first. `shared` gives each thread and process a new file of its own; otherwise there
    may be one writer at a time, who also clears away what a killed one left. Raises OSError, which names `path`.
    """
    own = f".{os.getpid()}-{threading.get_ident()}" if shared else ""
    new = path.with_name(f".{path.name}{own}.partial")
    try:
        # Nobody knows the new file's name.
        with naming(path, new):
            yield new
            # The file before it gets its name, and the folder, so that the name survives a power cut.
            if durable:
                sync(new)
            new.replace(path)
            if durable:
                sync(path.parent)
    finally:
        if new.is_dir():
            shutil.rmtree(new, ignore_errors=True)
        with suppress(OSError):
            new.unlink()


@contextmanager
def naming(path: Path, alias: Path | None = None) -> Iterator[None]:
    """Errors of the operating system name `path` where they name no file, as of a full disk, or `alias`."""
    try:
        yield
    except OSError as error:
        if error.filename in (None, str(alias)):
            raise OSError(error.errno, error.strerror or str(error), str(path)) from error
        raise


def sync(path: Path) -> None:
    """Returns once a file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def locked(path: Path, busy: str) -> Iterator[None]:
    """Holds the lock file `path` during the block; BusyError with the sentence `busy` if another process does."""
    try:
        held = FileLock(path, timeout=0).acquire()
    except Timeout:
        raise BusyError(busy) from None
    with held:
        yield


def digest(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
