"""Picks the images worth labelling, round after round."""

from importlib import import_module
from typing import Any

__all__ = ["Campaign", "Human", "Item", "Label", "Metrics", "Noisy", "Pick", "Round", "Simulated", "create"]

_HOMES = {
    "Campaign": "pickwell.campaign",
    "create": "pickwell.campaign",
    "Human": "pickwell.oracle",
    "Noisy": "pickwell.oracle",
    "Simulated": "pickwell.oracle",
}


def __getattr__(name: str) -> Any:
    """The public names; those that need torch are imported when first used, so that the rest starts quickly."""
    if name not in __all__:
        raise AttributeError(f"module 'pickwell' has no attribute '{name}'")
    return getattr(import_module(_HOMES.get(name, "pickwell.items")), name)
