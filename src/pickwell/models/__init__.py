"""Task networks by name.

A family is one file of this folder with a table `NETWORKS` (classifiers), and `DENSE` where it can label pixels: name
to a function from a `Plan` to a `Network`. Nothing else needs to know of it.
"""

import math
import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path

from pickwell.errors import SettingsError, unknown
from pickwell.models.network import Build, Network, Plan
from pickwell.models.weights import Loaded, load_weights

__all__ = [
    "Loaded",
    "Network",
    "Plan",
    "available",
    "available_dense",
    "available_vectors",
    "load",
    "load_dense",
    "load_weights",
]


def available() -> list[str]:
    """The names that `load` knows, sorted."""
    return sorted(_table("NETWORKS"))


def available_dense() -> list[str]:
    """The names that `load_dense` knows, sorted."""
    return sorted(_table("DENSE"))


def available_vectors() -> list[str]:
    """The names that `load` knows for vectors in place of images, sorted."""
    return sorted(_table("VECTORS"))


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
    builds = _table(table)
    if name not in builds:
        raise SettingsError(unknown(subject, name, builds))
    _check(plan)
    network = builds[name](plan)
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
def _table(attribute: str) -> Mapping[str, Build]:
    families = [import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]
    return {name: build for family in families for name, build in getattr(family, attribute, {}).items()}
