"""The exceptions a person may meet.

PickwellError
├── SettingsError        a setting is unknown, misspelt or out of range
├── PoolError            the images cannot be found or read
├── LabelError           a label file or an answer is not acceptable
├── BudgetError          more is asked for than there is
├── WeightsError         a weight file does not fit its network
├── TrainingError        a fit diverged or cannot begin
└── StoreError           the campaign's database cannot serve
    ├── BusyError        another process is at work on it
    ├── RoundError       the round is not in a state that allows this
    └── VersionError     it was made by a newer version

Each message names the subject, the value received, what is allowed and what to do next.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class PickwellError(Exception):
    """Any failure that a person can mend; the command line prints it as one sentence and ends with code 2."""


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


class TrainingError(PickwellError, RuntimeError):
    """A fit diverged or cannot begin."""


class StoreError(PickwellError, RuntimeError):
    """The campaign's database cannot serve."""


class BusyError(StoreError):
    """Another process is at work on the campaign."""


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
    shown = ", ".join(names[:40]) + (f" and {len(names) - 40} more" if len(names) > 40 else "")
    return f"unknown {subject} '{value}'; {hint}Available: {shown}"
