"""What a label is worth to a task: class names and their indices."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pickwell.errors import LabelError, SettingsError, unknown
from pickwell.spelling import NO_STEERING, STEERING, alike, composed, printable

IGNORE_INDEX = 255
"""The index that no loss and no metric counts (masks: void)."""
VOID = "!"
"""What the name of a value begins with that is no class."""


def check_classes(classes: Sequence[str]) -> tuple[str, ...]:
    """The class list, if it can serve as one; else a SettingsError that says why not."""
    names = tuple(name.strip() for name in classes)
    if len(names) < 2:
        raise SettingsError(f"a class list needs at least 2 classes, got {list(names)}; name them as --classes a,b,c")
    if "" in names:
        raise SettingsError(f"a class list holds an empty name: {list(names)}; remove it")
    odd = [name for name in names if name.startswith(VOID) or STEERING.search(name)]
    if odd:
        raise SettingsError(
            f"a class cannot be named '{printable(odd[0])}': a name has no '!' first, {NO_STEERING}; rename it"
        )
    spelt = [composed(name) for name in names]
    twice = sorted({name for name in spelt if spelt.count(name) > 1})
    if twice:
        raise SettingsError(f"a class list names {', '.join(twice)} twice; name each class once")
    return names


LONGEST = 1 << 20
"""The longest class list file that is read, in bytes."""


def split_void(names: Sequence[str]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The classes of a list, and the values (places in it) that are void because their name begins with `!`.

    >>> split_void(["sky", "road", "!void"])
    (('sky', 'road'), (2,))
    """
    void = tuple(place for place, name in enumerate(names) if name.strip().startswith(VOID))
    return tuple(name for place, name in enumerate(names) if place not in void), void


def read_class_list(path: str | Path) -> list[str]:
    """The lines of a class list file, a name each; its place, counted from 0, is its value in mask files."""
    try:
        with Path(path).open("rb") as file:
            data = file.read(LONGEST + 1)
        lines = data.decode("utf-8-sig").rstrip().splitlines() if len(data) <= LONGEST else []
    except UnicodeDecodeError:
        raise SettingsError(f"the class list '{path}' is not UTF-8 text; save it as such, a name a line") from None
    except OSError as error:
        raise SettingsError(f"the class list '{path}' cannot be read: {error.strerror}; name a text file") from None
    if not lines:
        said = "is larger than 1 MiB" if len(data) > LONGEST else "is empty"
        raise SettingsError(f"the class list '{path}' {said}; write one name a line")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            raise SettingsError(
                f"the class list '{path}' is blank in line {number}; a name's line is its value, so name every line: "
                "one that is no class as !name"
            )
        if line.startswith("#"):
            # As a name it would move the values of all classes below it.
            raise SettingsError(
                f"the class list '{path}' has '{line.strip()[:40]}' in line {number}; a name's line is its value, so "
                "it can hold no comments: take the line out"
            )
    return [line.strip() for line in lines]


def check_class(value: str, classes: Sequence[str], *, where: str = "") -> str:
    """The class as the campaign spells it; a LabelError with the nearest one if the campaign has no such class."""
    found = alike(value, classes)
    if found is None:
        raise LabelError(f"{where}{unknown('class', value, classes)}")
    return found


def class_indices(values: Iterable[str], classes: Sequence[str]) -> NDArray[np.int64]:
    """The places of class names in the class list, int64 `(N,)`."""
    values = list(values)
    spelt = {value: alike(value, classes) for value in set(values)}
    if lost := sorted(value for value, name in spelt.items() if name is None):
        raise LabelError(
            f"'{lost[0]}', said by {values.count(lost[0])} of {len(values)} labels, is no class of "
            f"{', '.join(classes)}; put it back into task.classes of campaign.toml, or correct these labels with tell"
        )
    place = {value: classes.index(name) for value, name in spelt.items() if name is not None}
    return np.fromiter((place[value] for value in values), dtype=np.int64)
