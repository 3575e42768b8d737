"""Task networks by name.

A family is one file of this folder, or a module that another package offers, with a table `NETWORKS` (classifiers),
`DENSE` where it can label pixels, or `VECTORS`: name to a function from a `Plan` to a `Network`.
"""

import logging
import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from pickwell.errors import SettingsError, unknown
from pickwell.models.network import Build, Loaded, Network, Plan
from pickwell.models.weights import load_weights
from pickwell.registry import Registry, about

logger = logging.getLogger("pickwell")

__all__ = [
    "Loaded",
    "Network",
    "Plan",
    "available",
    "available_dense",
    "available_vectors",
    "listed",
    "load",
    "load_dense",
    "load_weights",
    "module",
]


TABLES = {"NETWORKS": "classification", "DENSE": "segmentation", "VECTORS": "classification of vectors"}
"""The tables that a family may have, and what their networks are for."""


def _family(found: Any) -> ModuleType:
    if not any(hasattr(found, table) for table in TABLES):
        raise TypeError(f"{found!r} has none of the tables {', '.join(TABLES)}")
    family: ModuleType = found
    return family


ROOM = Registry("network family", __name__, _family, without=frozenset({"blocks", "lr_aspp", "network", "weights"}))


def available() -> list[str]:
    """The names that `load` knows, sorted."""
    return sorted(_table("NETWORKS"))


def available_dense() -> list[str]:
    """The names that `load_dense` knows, sorted."""
    return sorted(_table("DENSE"))


def available_vectors() -> list[str]:
    """The names that `load` knows for vectors in place of images, sorted."""
    return sorted(_table("VECTORS"))


def module(name: str) -> str:
    """The module that holds the network of that name; a SettingsError names the nearest one if there is none."""
    families = {network: family for table in TABLES for network, family in _table(table).items()}
    if name not in families:
        raise SettingsError(unknown("model", name, families))
    return ROOM.module(families[name])


def listed() -> list[dict[str, Any]]:
    """What is to be said of each network; `tasks` are what it is for, in `TABLES`' words."""
    families = {name: family for table in TABLES for name, family in _table(table).items()}
    return [
        about(name, ROOM.package(family), ROOM.named(family))
        | {"tasks": [use for table, use in TABLES.items() if name in _table(table)]}
        for name, family in sorted(families.items())
    ]


def load(
    name: str,
    num_classes: int,
    image_size: int = 224,
    weights: str | Path | None = None,
    width: float = 1.0,
    *,
    dropout: float | None = None,
) -> Network:
    """A network that gives `(B, num_classes)` logits, with fresh weights or those of the file `weights`.

    Up to an `image_size` of 64 the stem is the CIFAR-size one. `width` scales the channels; `dropout` None is the
    family's own rate. `network.loaded` says what the file gave. Raises SettingsError, WeightsError.
    "linear" and "mlp" take vectors `(B, image_size)`, of any length, in place of images.
    """
    plan = Plan(num_classes=num_classes, image_size=image_size, width=width, dropout=dropout)
    if name in _table("VECTORS"):
        return _load("VECTORS", "network", name, plan, weights)
    if image_size < 8:
        raise SettingsError(f"image_size is {image_size}; networks take 8 pixels or more: choose a larger size")
    return _load("NETWORKS", "network", name, plan, weights)


def load_dense(
    name: str,
    num_classes: int,
    weights: str | Path | None = None,
    width: float = 1.0,
    *,
    dropout: float | None = None,
) -> Network:
    """A network that gives `(B, num_classes, H, W)` logits for images of any size; otherwise as `load`."""
    plan = Plan(num_classes=num_classes, width=width, dropout=dropout)
    return _load("DENSE", "segmentation network", name, plan, weights)


def _load(table: str, subject: str, name: str, plan: Plan, weights: str | Path | None) -> Network:
    families = _table(table)
    if name not in families:
        raise SettingsError(unknown(subject, name, families))
    _check(plan)
    network = _builds(families[name], table)[name](plan)
    network.name = name
    if weights is not None:
        network.loaded = load_weights(network, weights)
    return network


def _check(plan: Plan) -> None:
    if plan.num_classes < 1:
        raise SettingsError(f"num_classes is {plan.num_classes}; a network needs at least 1: name the classes")
    if not (math.isfinite(plan.width) and 0 < plan.width <= 8):
        raise SettingsError(f"width is {plan.width}; allowed is above 0 up to 8: 1.0 is the published width")
    if plan.dropout is not None and not 0 <= plan.dropout < 1:
        raise SettingsError(f"dropout is {plan.dropout}; allowed is 0 up to, not including, 1")


@cache
def _table(table: str) -> Mapping[str, str]:
    """The families by the names of their networks."""
    found: dict[str, str] = {}
    for family in ROOM.everything():
        for name in _builds(family, table):
            if (other := found.setdefault(name, family)) != family:
                logger.warning("network '%s' of the package %s is left out, for %s has one of that name",
                               name, ROOM.package(family), ROOM.package(other))  # fmt: skip
    return found


def _builds(family: str, table: str) -> Mapping[str, Build]:
    return getattr(ROOM.named(family), table, {})
