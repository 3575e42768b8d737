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
from pickwell.formats.exchange.provenance import kind_of, provenance, told
from pickwell.items import Kind

TASKS = (CLASSIFICATION,)
KINDS = tuple(Kind)


def read(where: Path, context: Context) -> list[Found]:
    """The labels; numbers are places in the file's own class list, null is no label.

    `said` is a table of our own, which others pass over: who said what of an image when, and what was skipped.
    """
    path = where / "labels.json" if where.is_dir() else where
    file = a_table(read_json(path), str(path))
    classes = a_list(file.get("classes") or [], "classes")
    labels = a_table(file.get("labels"), "labels")
    said = {name: a_table(known, f"said of {name}") for name, known in a_table(file.get("said") or {}, "said").items()}
    given = {name: value for name, value in labels.items() if value is not None}
    found = [_found(name, value, classes, provenance(said.get(name, {}))) for name, value in given.items()]
    rest = {name: known for name, known in said.items() if name not in given and kind_of(known) is not Kind.ANSWER}
    return found + [Found(name, kind=kind_of(known), where=name, **provenance(known)) for name, known in rest.items()]


def _found(name: str, value: Any, classes: list[Any], said: dict[str, Any]) -> Found:
    """What one entry says: a name, a place in `classes`, or an object with either as its `label`."""
    if isinstance(value, dict):
        value = value.get("label")
    if type(value) is int and 0 <= value < len(classes):
        value = classes[value]
    if not isinstance(value, str) or not value:
        return Found(name, problem=f"its label is {shown(value)}: no name, nor a place in classes", where=name)
    return Found(name, value, where=name, **said)


def write(out: Path, labelled: Sequence[Labelled], context: Context) -> None:
    """Writes labels.json; labels are numbers."""
    place = {name: index for index, name in enumerate(context.classes)}
    places = Places([one.name for one in labelled])
    labels = {places.key(one.name): place[one.label] for one in labelled if one.kind is Kind.ANSWER}
    said = {places.key(one.name): known for one in labelled if (known := told(one))}
    file = {"classes": list(context.classes), "labels": labels, **({"said": said} if said else {})}
    with appearing(out) as path:
        path.write_text(json.dumps(file) + "\n", encoding="utf-8")
