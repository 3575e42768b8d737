"""What a campaign's directory holds, and who may work in it."""

import json
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from pickwell.config import Settings
from pickwell.errors import BusyError, PoolError, StoreError, of_system
from pickwell.files import locked

logger = logging.getLogger("pickwell")

PATIENCE = 10.0
"""Seconds that a second process waits for the first before it gives up."""
SOON = 1.0
"""Seconds after which it says that it waits, and for whom."""


MADE_IN = "made in"
"""What the store calls the directory that its campaign was made in, beside the versions."""

SETTINGS, LOCK = "campaign.toml", "campaign.lock"
INSIDE = ".partial"
"""Where an empty directory is filled from, inside it."""
MOVING = "moving.json"
"""What is about to be moved out of there, by name, and when each was last modified."""


class Directory:
    """The paths of one campaign."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.settings = root / SETTINGS
        """`campaign.toml`, for people to read and edit."""
        self.database = root / "pickwell.sqlite"
        """Labels, rounds, picks, results."""
        self.pool = root / "pool"
        """The manifest of the images to choose from."""
        self.test = root / "test"
        """The manifest of the test set, if the user named one."""
        self.masks = root / "masks"
        """The masks that labels name, if the task is segmentation."""
        self.vectors = root / "vectors"
        """Vectors of the whole pool; made again when missing."""
        self.features = root / "features"
        """What an encoder made of the images, and `test`, of those of the test set: a folder an encoder."""
        self.near = root / "near-copies"
        """Pairs of images that are near-copies by their vectors, in one file; made again when missing."""
        self.fits = root / "fits"
        """Trained networks; made again when missing."""
        self.rounds = root / "rounds"
        """What the model makes of each round's picks, for people to see: a file a round."""

    def url(self, settings: Settings) -> str:
        """Where the store is: a URL, or a plain path, in which `?` and `%` are letters like any other."""
        return settings.store.url or str(self.database)

    def check(self) -> None:
        """Refuses a directory that is no campaign."""
        if not self.settings.exists():
            lacking = f"it has no {SETTINGS}" if self.root.exists() else "no such directory"
            raise StoreError(f"no campaign at {self.root}: {lacking}; make one with pickwell init")

    @contextmanager
    def exclusive(self, what: str) -> Iterator[None]:
        """Lets one process at a time fit or ask; another waits a little, then is told who is at work."""
        note = self.root / "campaign.lock.holder"
        lock = FileLock(self.root / LOCK)
        try:
            self._acquire(lock, what, note)
            note.write_text(f"process {os.getpid()} ({what})", encoding="utf-8")
        except OSError as error:
            lock.release()
            raise StoreError(f"{what} writes to {self.root}, and cannot: {of_system(error)}") from None
        try:
            yield
        finally:
            lock.release()

    def _acquire(self, lock: FileLock, what: str, note: Path) -> None:
        """Takes the lock, or raises BusyError with the name of whoever has it."""
        # First a while in silence; then, before the rest, a word about whom one waits for.
        for patience in (min(SOON, PATIENCE), max(0.0, PATIENCE - SOON)):
            with suppress(Timeout):
                lock.acquire(timeout=patience)
                return
            holder = note.read_text(encoding="utf-8", errors="replace") if note.exists() else "another process"
            if patience <= SOON < PATIENCE:
                logger.warning("%s waits up to %g s for %s", what, PATIENCE, holder)
        raise BusyError(
            f"the campaign at {self.root} is in use by {holder}; {what} waited {PATIENCE:g} s: try again later"
        )


@contextmanager
def new_directory(root: Path) -> Iterator[Path]:
    """A directory to fill; it appears at `root` whole, or not at all. One that is there and empty is filled in place.

    In place, because it may be where the user's shell stands, or a mounted volume: neither can be replaced.
    """
    there = root.exists() or root.is_symlink()
    partial = root / INSIDE if there else root.with_name(f".{root.name}.partial")
    try:
        if there:
            _refuse_used(root)
        partial.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PoolError(f"{root} cannot be made: {error.strerror}; choose a directory that you may write to") from None
    # A second process that would fill the same directory is told.
    with locked(partial / LOCK, f"another process is making {root} just now; wait until it has, or name another"):
        try:
            if there:
                _refuse_used(root)  # again: until now another process may have filled it
            _take_back(partial, root)
            _empty(partial)
            yield partial
            _appear(partial, root, there)
        finally:
            _take_back(partial, root)
            shutil.rmtree(partial, ignore_errors=True)


def _refuse_used(root: Path) -> None:
    """Refuses a directory that holds anything but what a stopped process left half-made there."""
    ours = {INSIDE, *(child.name for child in _moved(root / INSIDE, root))}
    if not root.is_dir() or any(child.name not in ours for child in root.iterdir()):
        raise PoolError(f"{root} already exists and is not empty; choose another directory, or remove it")


def _empty(partial: Path) -> None:
    """Removes what a killed process left."""
    for child in partial.iterdir():
        if child.is_dir() and not child.is_symlink():
            shutil.rmtree(child)
        elif child.name != LOCK:
            child.unlink()


def _appear(partial: Path, root: Path, there: bool) -> None:
    if not there:
        partial.rename(root)
        return
    children = [child for child in partial.iterdir() if child.name != LOCK]
    if came := [child.name for child in children if _modified(root / child.name) is not None]:
        raise PoolError(f"{root / came[0]} has come while {root} was filled; move it away, then repeat the command")
    (partial / MOVING).write_text(json.dumps({child.name: _modified(child) for child in children}), encoding="utf-8")
    for child in sorted(children, key=lambda child: child.name == SETTINGS):  # what makes it a campaign: last
        child.rename(root / child.name)


def _moved(partial: Path, root: Path) -> list[Path]:
    """What was moved out of `partial` when the moving stopped; nothing if all was, for then `root` is whole.

    Known by name and time, and thus never what a person has put there since.
    """
    try:
        listed = json.loads((partial / MOVING).read_text(encoding="utf-8"))
    except (OSError, ValueError):  # no list, or half of one: then nothing was moved yet
        return []
    left = [name for name in listed if _modified(partial / name) is not None]
    gone = [root / name for name in listed if name not in left]
    return [path for path in gone if _modified(path) == listed[path.name]] if left else []


def _modified(path: Path) -> int | None:
    """When the file, folder or link was last modified, in nanoseconds; None if there is none."""
    try:
        return path.lstat().st_mtime_ns
    except OSError:
        return None


def _take_back(partial: Path, root: Path) -> None:
    """Undoes a moving that stopped half-way."""
    for child in _moved(partial, root):
        child.rename(partial / child.name)
    # Then the list goes, before anything of it: what it names must be in `partial` or have been moved.
    (partial / MOVING).unlink(missing_ok=True)
