"""Whether a user's own images and weights are still those that an experiment's results are of."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pickwell.data.sources.csv_table import CsvTable
from pickwell.data.sources.source import place
from pickwell.data.tree import SUFFIXES
from pickwell.errors import SettingsError
from pickwell.experiments.data import sets
from pickwell.experiments.experiment import DataSettings
from pickwell.files import digest, replacing

KINDS = SUFFIXES | {".parquet"}
"""The endings of files that images are in."""

Stamp = list[int]
"""How many files there are, and when the newest was written, in ns: tells that some came, went or changed."""


def stamps(settings: DataSettings, root: Path) -> dict[str, Stamp]:
    """How the folders and files that the settings name look now, but for data sets by name and results in `root`."""
    named = (settings.set, settings.masks, settings.test_set, settings.test_masks, settings.weights)
    own = {text: place(text) for text in named if text and text not in sets.available()}
    return {text: _stamp(path, place(str(root))) for text, path in own.items() if path.exists()}


def check(settings: DataSettings, before: Mapping[str, Stamp], root: Path) -> None:
    """A SettingsError where something looks otherwise than `before`: cells of other images cannot be compared."""
    for text, now in stamps(settings, root).items():
        if text in before and before[text] != now:
            raise SettingsError(
                f"'{text}' has changed since this experiment's pools were drawn from it ({before[text][0]:,} files "
                f"then, {now[0]:,} now), and results of both could not be compared; choose a new results folder with "
                "--out, or put back what was there"
            )


def check_weights(named: Iterable[str], root: Path) -> None:
    """A SettingsError where a network's weight file is not the one that results in `root` began with.

    By content, which is kept in `root`: cells are named by the file's path alone, so that a report needs no weights.
    """
    kept = root / "weights.json"
    before: dict[str, str] = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    now = {text: digest(Path(text)) for text in named if text}
    for text, found in now.items():
        if before.get(text, found) != found:
            raise SettingsError(
                f"model.weights '{text}' has changed since this experiment was begun, and results of both could not be "
                "compared; choose a new results folder with --out, or put back the file that was there"
            )
    if now.keys() - before.keys():
        with replacing(kept) as new:
            new.write_text(json.dumps(before | now, indent=1), encoding="utf-8")


def _stamp(path: Path, root: Path) -> Stamp:
    times = [file.stat().st_mtime_ns for file in _files(path, root) if file.exists()]
    return [len(times), max(times, default=0)]


def _files(path: Path, root: Path) -> Iterator[Path]:
    """The images of a folder, without what a file browser leaves there and our own results; or a file and its images.

    A table's images are those that it names, a feature file's labels lie beside it.
    """
    if path.is_file():
        yield from (path, path.with_suffix(".labels.npy"))
        if table := CsvTable.find(str(path), labels_from_folders=False):
            listing = table.listing()
            named = zip(listing["name"].to_pylist(), listing["path"].to_pylist(), strict=True)
            yield from (path.parent / (elsewhere or name) for name, elsewhere in named)
    for folder, inner, names in os.walk(path):
        inner[:] = [name for name in inner if not name.startswith(".") and Path(folder, name) != root]
        yield from (Path(folder, name) for name in names if Path(name).suffix.lower() in KINDS)
