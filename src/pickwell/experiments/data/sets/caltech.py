"""Caltech-256 (Griffin, Holub and Perona 2007): one folder a class."""

from pathlib import Path

from pickwell.experiments.data.sets.layout import Layout, Part, missing

PAGE = "data.caltech.edu/records/nyy15-4j048"
FOLDERS = ("256_ObjectCategories", "caltech256/256_ObjectCategories", "caltech256")
CLUTTER = "257.clutter"
"""Pictures of no class: 827 of the 30,607."""


def find(name: str, data: Path, into: Path) -> Layout:
    """The folders, without the clutter; the set has no test part of its own."""
    for folder in FOLDERS:
        if next((data / folder).glob("001.*"), None):
            return Layout(Part(data / folder, 29_780, labels_from_folders=True), leave_out=(CLUTTER,), page=PAGE)
    raise missing("Caltech-256", data, (f"{folder}/" for folder in FOLDERS), PAGE)


SETS = {"caltech256": find}
