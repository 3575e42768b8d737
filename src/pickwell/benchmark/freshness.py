"""Whether a user's own images are still those that an experiment's pools were drawn from."""

import os
from collections.abc import Mapping
from pathlib import Path

from pickwell.benchmark import sets
from pickwell.benchmark.experiment import DataSettings
from pickwell.data.sources.source import place
from pickwell.errors import SettingsError

Stamp = list[int]
"""How many files there are, and when the newest was written, in ns: tells that some came, went or changed."""


def stamps(settings: DataSettings) -> dict[str, Stamp]:
    """How the folders and files that the settings name look now; data sets by name are left out."""
    named = (settings.set, settings.masks, settings.test_set, settings.test_masks, settings.weights)
    own = {text: place(text) for text in named if text and text not in sets.available()}
    return {text: _stamp(path) for text, path in own.items() if path.exists()}


def check(settings: DataSettings, before: Mapping[str, Stamp]) -> None:
    """A SettingsError where something looks otherwise than `before`: cells of other images cannot be compared."""
    for text, now in stamps(settings).items():
        if text in before and before[text] != now:
            raise SettingsError(
                f"'{text}' has changed since this experiment's pools were drawn from it ({before[text][0]:,} files "
                f"then, {now[0]:,} now), and results of both could not be compared; choose a new results folder with "
                "--out, or put back what was there"
            )


def _stamp(path: Path) -> Stamp:
    every = [path] if path.is_file() else [Path(root, name) for root, _, names in os.walk(path) for name in names]
    times = [file.stat().st_mtime_ns for file in every if file.exists()]
    return [len(times), max(times, default=0)]
