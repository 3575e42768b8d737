"""The exceptions a person may meet.

Each message names the subject, the value received, what is allowed and what to do next.
"""

import errno
import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import ClassVar


class PickwellError(Exception):
    """Any failure that a person can mend; the command line prints it as one sentence and ends with its code.

    `facts` are what programs are told beside the sentence (`--json`).
    """

    code: ClassVar[int] = 2
    """What a command ends with that failed in this way."""

    def __init__(self, *sentence: object, **facts: object) -> None:
        super().__init__(*sentence)
        self.facts = facts


class SettingsError(PickwellError, ValueError):
    """A setting is unknown, misspelt or out of range."""


class PoolError(PickwellError, ValueError):
    """The images cannot be found or read."""


class LabelError(PickwellError, ValueError):
    """A label file or an answer is not acceptable; nothing of it was kept."""


class BudgetError(PickwellError, ValueError):
    """More images are asked for than there are."""


class WeightsError(PickwellError, ValueError):
    """A weight file does not fit its network."""


class EncoderError(PickwellError, ValueError):
    """An encoder cannot be had, does not fit its images, or makes no vectors of them."""


class TrainingError(PickwellError, RuntimeError):
    """A fit diverged or cannot begin."""


class StoreError(PickwellError, RuntimeError):
    """The campaign's database cannot serve."""


class BusyError(StoreError):
    """Another process is at work on the campaign: no failure, but to be tried again when that has ended."""

    code = 75


class RoundError(StoreError):
    """The round is not in a state that allows this."""


class VersionError(StoreError):
    """The campaign was made by a newer version."""


def unknown(subject: str, value: object, allowed: Iterable[str]) -> str:
    """A sentence that names the value, the nearest allowed one, and all of them.

    >>> unknown("strategy", "vall", ["random", "vaal"])
    "unknown strategy 'vall'; did you mean 'vaal'? Available: random, vaal"
    """
    names = sorted(allowed)
    near = get_close_matches(str(value), names, n=1)
    hint = f"did you mean '{near[0]}'? " if near else ""
    return f"unknown {subject} '{value}'; {hint}Available: {few(names, 40)}"


def unknown_item(item: object, count: int) -> str:
    """A sentence for what is no item of a pool of `count`.

    >>> unknown_item(7, 5)
    'unknown item 7; the pool holds items 0 to 4'
    """
    return f"unknown item {item!r}; the pool holds items 0 to {count - 1}"


def few(names: Sequence[object], most: int = 5) -> str:
    """The first of many names, and how many more there are.

    >>> few(["a.jpg", "b.jpg", "c.jpg"], most=2)
    'a.jpg, b.jpg and 1 more'
    """
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(map(str, names[:most])) + more


NEXT_STEPS = {
    errno.ENOSPC: "free some space there",
    errno.EDQUOT: "free some space there, or ask for a larger quota",
    errno.EFBIG: "choose a disk that takes larger files",
    errno.EACCES: "give yourself permission there, or name another place",
    errno.EPERM: "give yourself permission there, or name another place",
    errno.EROFS: "choose a place that can be written to",
    errno.ENOENT: "check the path",
    errno.ENOTDIR: "check the path: a part of it is a file",
    errno.EISDIR: "name a file, not a directory",
    errno.EEXIST: "name another place, or remove what is there",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ELOOP: "remove the symbolic link that forms a loop",
    errno.EMFILE: "allow more open files (ulimit -n)",
    errno.ENFILE: "close other programs, which hold too many files open",
    errno.ENOMEM: "close other programs to free memory",
    errno.EIO: "check the disk",
    errno.EADDRINUSE: "choose another port, or stop the program that listens on it",
    errno.ESTALE: "mount the network disk again",
}
"""What a person can do about an operating system's error."""


def in_words(error: Exception) -> str | None:
    """What a person can do about an error, in a sentence; None for one that only a programmer can mend."""
    if isinstance(error, PickwellError):
        return str(error)
    return of_system(error) if isinstance(error, OSError) else of_memory(error)


def of_memory(error: Exception) -> str | None:
    """A sentence for an error that says that the memory does not suffice; None for any other.

    >>> of_memory(MemoryError())
    "the memory does not suffice; choose smaller numbers in campaign.toml (model.width, training.batch_size, a \
strategy's own sizes), or close other programs, and repeat the command"
    """
    # torch's error on a CPU is a plain RuntimeError, on an accelerator one of its own: told without importing it.
    short = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    wanted = re.search(r"can't allocate memory: you tried to allocate (\d+) bytes", str(error))
    if not short and wanted is None:
        return None
    said = f": {int(wanted[1]) / 2**30:,.1f} GiB more were asked for" if wanted else ""
    return (
        f"the memory does not suffice{said}; choose smaller numbers in campaign.toml (model.width, "
        "training.batch_size, a strategy's own sizes), or close other programs, and repeat the command"
    )


def of_system(error: OSError) -> str:
    """A sentence that names the file, what the operating system said of it, and what to do next.

    >>> of_system(OSError(errno.ENOSPC, "No space left on device", "to-label.csv"))
    'to-label.csv: No space left on device; free some space there and repeat the command'
    """
    where = " and ".join(str(name) for name in (error.filename, error.filename2) if name is not None)
    step = NEXT_STEPS.get(error.errno or 0, "mend that")
    return f"{where or 'the operating system'}: {error.strerror or error}; {step} and repeat the command"
