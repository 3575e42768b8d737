"""Picks the images worth labelling, round after round."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pickwell.errors import PickwellError
from pickwell.items import Item, Kind, Label, Metrics, Pick, Round

if TYPE_CHECKING:
    from pickwell.loop.campaign import Campaign
    from pickwell.loop.creation import create
    from pickwell.oracle import Human, Noisy, Simulated

__all__ = [
    "Campaign",
    "Human",
    "Item",
    "Kind",
    "Label",
    "Metrics",
    "Noisy",
    "Pick",
    "PickwellError",
    "Round",
    "Simulated",
    "create",
]

_HOMES = {
    "Campaign": "pickwell.loop.campaign",
    "create": "pickwell.loop.creation",
    "Human": "pickwell.oracle",
    "Noisy": "pickwell.oracle",
    "Simulated": "pickwell.oracle",
}


def __getattr__(name: str) -> Any:
    """The public names; those that need torch are imported when first used, so that the rest starts quickly."""
    if name == "__version__":
        from importlib.metadata import version

        return version("pickwell")
    if name not in _HOMES:
        raise AttributeError(f"module 'pickwell' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """The public names."""
    return sorted([*__all__, "__version__"])
