"""How far a long piece of work is, told to other processes by a small file."""

import json
import math
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pickwell.campaign.directory import Directory
from pickwell.files import replacing
from pickwell.progress import Progress

EVERY = 0.5
"""Seconds between two writings of the file."""
TRAINING = "training"
"""What is going on while there are losses."""
STALE = 120.0
"""Seconds after which a file that is not written any more tells of work that was killed."""


@dataclass(frozen=True, slots=True)
class Doing:
    """What is going on, how much of how much is done, when it began and when this was written (seconds since 1970).

    `losses` are the newest of the training that is going on, by name.
    """

    what: str
    done: int
    total: int
    began: float
    time: float
    losses: Mapping[str, float] = field(default_factory=dict)

    @property
    def seconds_left(self) -> float | None:
        """The time left at the pace so far; None before there is a pace."""
        paced = self.done and self.time > self.began
        return (self.time - self.began) * (self.total - self.done) / self.done if paced else None


class ProgressFile:
    """A Progress that writes `fits/progress.json`, with the losses that it is told, and tells `also` all but those."""

    def __init__(self, root: Path, clock: Callable[[], float] = time.time, also: Progress | None = None) -> None:
        self.path, self._clock, self._also = _path(root), clock, also
        self._what, self._began, self._written = "", 0.0, 0.0
        self._losses: dict[str, float] = {}

    def losses(self, values: Mapping[str, float]) -> None:
        """Takes in losses, which are written down with the next step."""
        self._losses |= {name: round(value, 6) for name, value in values.items() if math.isfinite(value)}

    def __call__(self, what: str, done: int, total: int) -> None:
        """Takes in how far something has come; writes it down twice a second at most."""
        if self._also:
            self._also(what, done, total)
        now = self._clock()
        if what != self._what:
            self._what, self._began, self._written = what, now, 0.0
        if now - self._written < EVERY and done < total:
            return
        self._written = now
        told = Doing(what, done, total, self._began, now, self._losses if what == TRAINING else {})
        with suppress(OSError):  # what is only looked at must not end the work
            self.path.parent.mkdir(exist_ok=True)
            with replacing(self.path, durable=False) as new:
                new.write_text(json.dumps(asdict(told)), encoding="utf-8")

    def close(self) -> None:
        """Removes the file if this wrote it: nothing is going on any more."""
        if self._written:
            self.path.unlink(missing_ok=True)


def doing(root: Path, now: float | None = None) -> Doing | None:
    """What is going on in a campaign's directory; None when nothing is, or when it was killed a while ago."""
    try:
        found = Doing(**json.loads(_path(root).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return None if (time.time() if now is None else now) - found.time > STALE else found


def _path(root: Path) -> Path:
    return Directory(root).fits / "progress.json"
