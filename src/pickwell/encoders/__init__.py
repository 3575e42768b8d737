"""Encoders: what looks at every image once. `lite.py` is a source of them; other packages offer theirs.

A source is a module with `known()`, what is to be said of each encoder that it can name, and `load(name)`. What follows
a colon is for the source: of `onnx:dino.onnx`, the source `onnx` is asked for `dino.onnx`.
"""

from types import ModuleType
from typing import Any

from pickwell.encoders.encoder import Encoder
from pickwell.errors import SettingsError, unknown
from pickwell.registry import Registry

__all__ = ["Encoder", "available", "listed", "load", "module"]


def _source(found: Any) -> ModuleType:
    if not (hasattr(found, "known") and hasattr(found, "load")):
        raise TypeError(f"{found!r} has no known() and load()")
    source: ModuleType = found
    return source


ROOM = Registry("source of encoders", __name__, _source, without=frozenset({"encoder", "settings"}))


def available() -> list[str]:
    """The names that `load` knows; those with a colon are followed by a file's or a model's name."""
    return sorted(entry.name for source in ROOM.everything().values() for entry in source.known())


def listed() -> list[dict[str, Any]]:
    """What is to be said of each: length, licence, size in MB, whether it is there, and the command that brings it."""
    return [
        entry._asdict() | {"package": ROOM.package(name)}
        for name, source in ROOM.everything().items()
        for entry in source.known()
    ]


def load(name: str) -> Encoder:
    """The encoder of that name. Raises SettingsError for an unknown one, EncoderError where it cannot be loaded."""
    loaded: Encoder = ROOM.named(_source_of(name)).load(name)
    return loaded


def module(name: str) -> str:
    """The module that the encoder of that name comes from; a SettingsError names the nearest one if there is none."""
    return ROOM.module(_source_of(name))


def _source_of(name: str) -> str:
    """The source that is asked for an encoder: its name, or what comes before the colon, is one that it knows."""
    stem, colon, _ = name.partition(":")
    for source, found in ROOM.everything().items():
        if any(entry.name.partition(":")[:2] == (stem, colon) for entry in found.known()):
            return source
    raise SettingsError(unknown("encoder", name, (*available(), "none")))
