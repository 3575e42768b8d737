"""Pretrained encoders by name: an upright image in, a vector out. One file, one source; nothing is registered.

A source is a module with `facts()`, what can be said of its encoders without loading one, and `load(name, **options)`;
with `weights(name)` too, where they can be fine-tuned.
`lite0` is loaded by the source that lists it; `onnx:encoder.onnx` by the source `onnx`, which is handed the rest. Other
packages offer theirs by entry points.
"""

from dataclasses import asdict
from types import ModuleType
from typing import Any

from pickwell.encoders.encoder import Encoder, Facts, Weights
from pickwell.errors import SettingsError, unknown
from pickwell.registry import Registry

__all__ = ["Encoder", "Facts", "Weights", "available", "listed", "load", "module", "weights"]


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
    _, colon, rest = name.partition(":")
    encoder: Encoder = ROOM.named(_source_of(name)).load(rest if colon else name, **options)
    return encoder


def weights(name: str) -> Weights:
    """What the encoder of that name has learnt, and the network that it is, to be fine-tuned.

    Raises SettingsError for one that is no network of ours, EncoderError where its weights are not there.
    """
    tunable = [
        facts.name for source in ROOM.everything().values() if hasattr(source, "weights") for facts in source.facts()
    ]
    if name not in tunable:
        raise SettingsError(
            f"encoder '{name}' cannot be fine-tuned; allowed are {', '.join(tunable)}: choose one, or set "
            "training.finetune = false"
        )
    found: Weights = ROOM.named(_source_of(name)).weights(name)
    return found


def module(name: str) -> str:
    """The module that the encoder of that name comes from; a SettingsError names the nearest one if there is none."""
    return ROOM.module(_source_of(name))


def _source_of(name: str) -> str:
    """The source of the encoder of that name: what stands before a colon, or the one that lists it."""
    source, colon, _ = name.partition(":")
    if colon and (known := source.replace("_", "-")) in ROOM.available():
        return known
    for listing, found in ROOM.everything().items():
        if any(facts.name == name for facts in found.facts()):
            return listing
    raise SettingsError(unknown("encoder", name, (*available(), "none")))
