"""What a label is worth to a task: class names and their indices."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from pickwell.errors import LabelError, SettingsError, unknown

IGNORE_INDEX = 255
"""The index that no loss and no metric counts (masks: void)."""


def check_classes(classes: Sequence[str]) -> tuple[str, ...]:
    """The class list, if it can serve as one; else a SettingsError that says why not."""
    names = tuple(name.strip() for name in classes)
    if len(names) < 2:
        raise SettingsError(f"a class list needs at least 2 classes, got {list(names)}; name them as --classes a,b,c")
    if "" in names:
        raise SettingsError(f"a class list holds an empty name: {list(names)}; remove it")
    odd = [name for name in names if name.startswith("!") or not name.isprintable()]
    if odd:
        raise SettingsError(f"a class cannot be named {odd[0]!r}: use printable letters and no '!' first; rename it")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SettingsError(f"a class list names {', '.join(twice)} twice; name each class once")
    return names


def check_class(value: str, classes: Sequence[str], *, where: str = "") -> str:
    """The class name itself; a LabelError with the nearest one if the campaign has no such class."""
    if value not in classes:
        raise LabelError(f"{where}{unknown('class', value, classes)}")
    return value


def class_indices(values: Iterable[str], classes: Sequence[str]) -> NDArray[np.int64]:
    """The places of class names in the class list, int64 `(N,)`."""
    place = {name: index for index, name in enumerate(classes)}
    values = list(values)
    if lost := sorted(set(values) - place.keys()):
        raise LabelError(
            f"{sum(value == lost[0] for value in values)} labels say '{lost[0]}', which is no class of "
            f"{', '.join(classes)}; put it back into task.classes of campaign.toml, or correct these labels with tell"
        )
    return np.fromiter((place[value] for value in values), dtype=np.int64)
