"""How to pick. One file, one strategy, one name: `core_set.py` is `core-set`; others offer theirs by entry points."""

import dataclasses
import json
import re
from collections.abc import Mapping
from copy import deepcopy
from importlib import import_module
from typing import TYPE_CHECKING, Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from pickwell.errors import SettingsError, unknown
from pickwell.registry import Registry, class_in

if TYPE_CHECKING:
    from pickwell.learner.item_stream import Stream
    from pickwell.strategies.strategy import RoundView, Scorer, Strategy

__all__ = [
    "RoundView",
    "Scorer",
    "Strategy",
    "Stream",
    "available",
    "create",
    "given",
    "name_of",
    "named",
    "settings_of",
]

LARGEST = 10**9
"""No size of a network and no number of steps is larger; tensors would not take some that are."""


def __getattr__(name: str) -> Any:
    """What a strategy is made of; it needs torch, and names can be told without."""
    if name not in __all__:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(import_module(f"{__name__}.strategy"), name)


def _class_of(found: Any) -> "type[Strategy]":
    from pickwell.strategies.strategy import Strategy

    return class_in(found, Strategy)  # type: ignore[type-abstract]


ROOM = Registry("strategy", __name__, _class_of, without=frozenset({"strategy", "distances"}))

available, named = ROOM.available, ROOM.named


def name_of(strategy: "Strategy") -> str:
    """The name that a strategy is chosen by; one that nobody offers has its class' name: `MyRule` is `my-rule`."""
    kind = type(strategy)
    if kind.__module__.startswith(f"{__name__}."):
        return kind.__module__.removeprefix(f"{__name__}.").split(".")[0].replace("_", "-")
    top = kind.__module__.partition(".")[0]
    for name, point in ROOM.offered().items():
        if point.module.partition(".")[0] == top and named(name) is kind:
            return name
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|_", "-", kind.__name__).lower()
    if name in available():
        raise SettingsError(f"the class {kind.__name__} would be called '{name}', as another strategy is; rename it")
    return name


def create(name: str, settings: Mapping[str, Any] | None = None) -> "Strategy":
    """A strategy with the given hyper-parameters; an unknown or ill-typed one is a SettingsError."""
    kind = named(name)
    hints = get_type_hints(kind)
    fields = {field.name for field in dataclasses.fields(kind) if field.init}
    values = {}
    for key, value in (settings or {}).items():
        if key not in fields:
            raise SettingsError(unknown(f"setting of strategy {name}", key, fields))
        try:
            values[key] = TypeAdapter(hints[key]).validate_python(value)
        except ValidationError as error:
            reason = error.errors()[0]["msg"]
            raise SettingsError(f"setting '{key}' of strategy {name} is {value!r}: {reason}") from None
        sizes = values[key] if isinstance(values[key], tuple) else (values[key],)
        if any(isinstance(size, int) and abs(size) > LARGEST for size in sizes):
            raise SettingsError(f"setting '{key}' of strategy {name} is {value!r}; {LARGEST:,} is the most")
    return kind(**values)


def settings_of(strategy: "Strategy") -> dict[str, Any]:
    """The hyper-parameters a strategy has, by name: what is stored with every round."""
    return {field.name: getattr(strategy, field.name) for field in dataclasses.fields(strategy) if field.init}


def given(strategy: "Strategy", settings: Mapping[str, Any]) -> "tuple[str, Strategy]":
    """The name of an instance, and a copy of it to train; SettingsError where what it is made with cannot be stored."""
    if settings:
        raise SettingsError(f"settings are given beside a strategy ({', '.join(settings)}); make it with them")
    for key, value in settings_of(strategy).items():
        try:
            json.dumps(value)
        except (TypeError, ValueError):
            raise SettingsError(
                f"setting '{key}' of strategy {name_of(strategy)} is {value!r}, and settings are stored as JSON; make "
                "it a number, a text or a list of them, or leave it out of __init__ (field(init=False))"
            ) from None
    return name_of(strategy), deepcopy(strategy)
