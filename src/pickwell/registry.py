"""What can be chosen by name: the files of our own rooms, and what other packages offer by entry points."""

import inspect
import logging
import pkgutil
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any, Generic, TypeVar

from pickwell.errors import SettingsError, unknown

logger = logging.getLogger("pickwell")

Thing = TypeVar("Thing")
Kind = TypeVar("Kind")


@dataclass(frozen=True)
class Registry(Generic[Thing]):
    """The things of one kind: in the room `pickwell.strategies`, `core_set.py` is `core-set`; nothing is registered.

    Other packages offer theirs by entry points of a group named after the room, as `pickwell.strategies`. Ours win over
    another package's of the same name. Names are known without importing what bears them. `pick` makes the thing out of
    a module of ours, or of what an entry point names; `without` are files of the room that are none.
    """

    subject: str
    room: str
    pick: Callable[[Any], Thing]
    without: frozenset[str] = frozenset()

    @property
    def group(self) -> str:
        """The group of entry points."""
        return f"pickwell.{self.room.rpartition('.')[2]}"

    def own(self) -> dict[str, str]:
        """The names of ours, and the modules that bear them."""
        found = (module.name for module in pkgutil.iter_modules(import_module(self.room).__path__))
        return {name.replace("_", "-"): f"{self.room}.{name}" for name in found if name not in self.without}

    def offered(self) -> dict[str, EntryPoint]:
        """What other packages offer, by name."""
        return _offered(self.group, self.subject, frozenset(self.own()))

    def available(self) -> list[str]:
        """All names, sorted."""
        return sorted((*self.own(), *self.offered()))

    def module(self, name: str) -> str:
        """The module that holds the thing of that name; a SettingsError names the nearest one if there is none."""
        return self.own().get(name) or self._offer(name).module

    def package(self, name: str) -> str:
        """The package that it comes with."""
        return "pickwell" if name in self.own() else _package(self._offer(name))

    def named(self, name: str) -> Thing:
        """The thing of that name; a SettingsError if there is none, or if the package that offers it is broken."""
        if module := self.own().get(name):
            return self.pick(import_module(module))
        point = self._offer(name)
        try:
            return self.pick(point.load())
        except (Exception, SystemExit) as error:  # whatever a package of somebody else's does
            raise SettingsError(
                f"{self.subject} '{name}' of the package {_package(point)} cannot be loaded "
                f"({type(error).__name__}: {error}); update that package, or uninstall it"
            ) from error

    def theirs(self) -> dict[str, Thing]:
        """What other packages offer, by name; what is broken is left out, with a warning."""
        found = {}
        for name in self.offered():
            try:
                found[name] = self.named(name)
            except SettingsError as error:
                logger.warning("%s", error)
        return found

    def everything(self) -> dict[str, Thing]:
        """All of them by name, ours first."""
        return {name: self.named(name) for name in self.own()} | self.theirs()

    def listed(self) -> list[dict[str, Any]]:
        """What is to be said of each."""
        return [about(name, self.package(name), thing) for name, thing in sorted(self.everything().items())]

    def _offer(self, name: str) -> EntryPoint:
        if name not in self.offered():
            raise SettingsError(unknown(self.subject, name, self.available()))
        return self.offered()[name]


def whole(module: ModuleType) -> ModuleType:
    """A module as the thing itself."""
    return module


def class_in(found: Any, parent: type[Kind]) -> type[Kind]:
    """The one concrete class of that kind that a module, or the package it stands for, defines; or the class itself."""
    # A module also holds the classes that it imports.
    own = [
        value
        for value in ([found] if isinstance(found, type) else vars(found).values())
        if isinstance(value, type)
        and issubclass(value, parent)
        and not inspect.isabstract(value)
        and (value is found or f"{value.__module__}.".startswith(f"{found.__name__}."))
    ]
    if len(own) != 1:
        raise TypeError(f"{found!r} is no {parent.__name__}, nor a module with one")
    return own[0]


def about(name: str, package: str, thing: Any) -> dict[str, Any]:
    """What a docstring says of a class or a module: its first line, and its lines "Use when: ..." and "Source: ..."."""
    text = inspect.cleandoc(thing.__doc__ or "")
    if text.startswith(f"{getattr(thing, '__name__', '')}("):  # a dataclass without one has its signature there
        text = ""
    said = dict(re.findall(r"^(Use when|Source): (.+?)(?=\n\n|\nUse when: |\nSource: |\Z)", text, re.M | re.S))
    use, source = (" ".join(said.get(key, "").split()) for key in ("Use when", "Source"))
    return {"name": name, "package": package, "what": text.partition("\n")[0], "use_when": use, "source": source}


@cache
def _offered(group: str, subject: str, ours: frozenset[str]) -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for point in sorted(entry_points(group=group), key=lambda point: (point.name, _package(point))):
        if point.name in ours or point.name in found:
            owner = "pickwell" if point.name in ours else _package(found[point.name])
            logger.warning(
                "%s '%s' of the package %s is left out, for %s has one of that name; uninstall one, or ask its author "
                "for another name", subject, point.name, _package(point), owner,
            )  # fmt: skip
        else:
            found[point.name] = point
    return found


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist else point.module.partition(".")[0]
