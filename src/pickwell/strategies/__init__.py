"""How to pick. One file, one strategy, one name: `core_set.py` is `core-set`; nothing is registered."""

import dataclasses
import inspect
import pkgutil
from collections.abc import Mapping
from importlib import import_module
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from pickwell.errors import SettingsError, unknown
from pickwell.learner.stream import Stream
from pickwell.strategies.strategy import RoundView, Scorer, Strategy

__all__ = ["RoundView", "Scorer", "Strategy", "Stream", "available", "create", "name_of", "named", "settings_of"]

LARGEST = 10**9
"""No size of a network and no number of steps is larger; tensors would not take some that are."""


def available() -> list[str]:
    """The names of all strategies, sorted."""
    found = (module.name for module in pkgutil.iter_modules(__path__))
    return sorted(name.replace("_", "-") for name in found if name != "strategy")


def named(name: str) -> type[Strategy]:
    """The strategy class of that name; a SettingsError names the nearest one if there is none."""
    if name not in available():
        raise SettingsError(unknown("strategy", name, available()))
    module = import_module(f"{__name__}.{name.replace('-', '_')}")
    # A module also holds the classes that it imports: its own counts, or its package's.
    (found,) = (
        value
        for value in vars(module).values()
        if inspect.isclass(value)
        and issubclass(value, Strategy)
        and not inspect.isabstract(value)
        and (value.__module__ == module.__name__ or value.__module__.startswith(module.__name__ + "."))
    )
    return found


def name_of(strategy: Strategy) -> str:
    """The name that a strategy is chosen by: that of its file."""
    return type(strategy).__module__.removeprefix(f"{__name__}.").split(".")[0].replace("_", "-")


def create(name: str, settings: Mapping[str, Any] | None = None) -> Strategy:
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


def settings_of(strategy: Strategy) -> dict[str, Any]:
    """The hyper-parameters a strategy has, by name: what is stored with every round."""
    return {field.name: getattr(strategy, field.name) for field in dataclasses.fields(strategy) if field.init}
