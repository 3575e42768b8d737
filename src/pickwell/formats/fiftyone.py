"""FiftyOne's labels.json for image classification: `classes`, and `labels` by image name without its ending.

Use when: classes are looked at in FiftyOne.
Source: https://docs.voxel51.com
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pickwell.formats.exchange.found import CLASSIFICATION, Context, Found, Labelled
from pickwell.formats.exchange.names import Places
from pickwell.formats.exchange.paths import a_list, a_table, appearing, read_json, shown

TASKS = (CLASSIFICATION,)


def read(where: Path, context: Context) -> list[Found]:
    """The labels; numbers are places in the file's own class list, null is no label."""
    path = where / "labels.json" if where.is_dir() else where
    file = a_table(read_json(path), str(path))
    classes = a_list(file.get("classes") or [], "classes")
    labels = a_table(file.get("labels"), "labels")
    return [_found(name, value, classes) for name, value in labels.items() if value is not None]


def _found(name: str, value: Any, classes: list[Any]) -> Found:
    """What one entry says: a name, a place in `classes`, or an object with either as its `label`."""
    if isinstance(value, dict):
        value = value.get("label")
    if type(value) is int and 0 <= value < len(classes):
        value = classes[value]
    if not isinstance(value, str) or not value:
        return Found(name, problem=f"its label is {shown(value)}: no name, nor a place in classes", where=name)
    return Found(name, value, where=name)


def write(out: Path, labelled: Sequence[Labelled], context: Context) -> None:
    """Writes labels.json; labels are numbers."""
    place = {name: index for index, name in enumerate(context.classes)}
    places = Places([one.name for one in labelled])
    labels = {places.key(one.name): place[one.label] for one in labelled}
    with appearing(out) as path:
        path.write_text(json.dumps({"classes": list(context.classes), "labels": labels}) + "\n", encoding="utf-8")
