"""Pretrained encoders by name: an upright image in, a vector out. One file, one source; nothing is registered.

A source is a module with `facts()`, what can be said of its encoders without loading one, and `load(name, **options)`.
`lite0` is loaded by the source that lists it; `onnx:encoder.onnx` by the source `onnx`, which is handed the rest. Other
packages offer theirs by entry points.
"""

from dataclasses import asdict
from types import ModuleType
from typing import Any

from pickwell.encoders.encoder import Encoder, Facts
from pickwell.errors import SettingsError, unknown
from pickwell.registry import Registry

__all__ = ["Encoder", "Facts", "available", "listed", "load"]


def _source(found: Any) -> ModuleType:
    if not (hasattr(found, "facts") and hasattr(found, "load")):
        raise TypeError(f"{found!r} has no facts or no load")
    module: ModuleType = found
    return module


ROOM = Registry("source of encoders", __name__, _source, without=frozenset({"encoder", "parts"}))


def available() -> list[str]:
    """The names that `load` knows, sorted; what is written large in one stands for a file or a name."""
    return sorted(facts.name for source in ROOM.everything().values() for facts in source.facts())


def listed() -> list[dict[str, Any]]:
    """What is to be said of each encoder: `Facts` as a dictionary, and the `package` that it comes with."""
    return [
        asdict(facts) | {"package": ROOM.package(source)}
        for source, module in sorted(ROOM.everything().items())
        for facts in module.facts()
    ]


def load(name: str, **options: Any) -> Encoder:
    """The encoder of that name, ready to encode; `options` are its source's own.

    Raises EncoderError, where it is not there with the command that brings it; SettingsError for an unknown name.
    """
    source, colon, rest = name.partition(":")
    if colon:
        encoder: Encoder = ROOM.named(source.replace("_", "-")).load(rest, **options)
        return encoder
    for module in ROOM.everything().values():
        if any(facts.name == name for facts in module.facts()):
            found: Encoder = module.load(name, **options)
            return found
    raise SettingsError(unknown("encoder", name, available()))
