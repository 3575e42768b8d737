"""Label Studio JSON: tasks out, annotations in and out. Choices for classes, brushes (and polygons in) for masks.

Use when: people label in Label Studio.
Source: https://labelstud.io/guide/export
"""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from pickwell.errors import LabelError
from pickwell.formats.exchange.brush import decode, encode
from pickwell.formats.exchange.found import (
    CLASSIFICATION,
    SEGMENTATION,
    Asked,
    Codes,
    Context,
    Found,
    Labelled,
    Question,
    Size,
)
from pickwell.formats.exchange.paths import a_list, a_number, a_table, a_text, appearing, read_json, shown
from pickwell.formats.exchange.provenance import seconds_of, time_of
from pickwell.formats.exchange.readings import of_address
from pickwell.formats.exchange.run_lengths import Region
from pickwell.formats.exchange.shapes import fill, paint, parts
from pickwell.items import Kind

TASKS = (CLASSIFICATION, SEGMENTATION)
KINDS = tuple(Kind)
OPTIONS = {"ask": ("--prefix",)}

_NO_AREAS = ("choices", "taxonomy", "textarea", "rating", "number", "datetime", "relation")
"""What may be said of an image beside its areas; where label maps are read it is passed over."""


def read(where: Path, context: Context) -> list[Found]:
    """The annotations of a JSON export. A task without one is left out; a cancelled one alone is a skip.

    Label Studio has no ignores: they are the skips of tasks whose data says `"ignored": true`, as `write` writes them.
    """
    found: list[Found] = []
    for index, one in enumerate(a_list(read_json(where), str(where))):
        task = a_table(one, f"task {index}")
        if "annotations" not in task:
            raise LabelError(f"task {index} of {where} has no annotations; export as JSON, not as JSON-MIN")
        what = f"task {task.get('id', index)!s:.30}"
        data = a_table(task.get("data"), f"data of {what}")
        name = _image(data, what)
        every = [a_table(a, f"an annotation of {what}") for a in a_list(task["annotations"], f"annotations of {what}")]
        kept = [annotation for annotation in every if annotation.get("was_cancelled") is not True]
        found += [_found(name, annotation, context, what) for annotation in kept]
        if every and not kept:
            kind = Kind.IGNORE if data.get("ignored") is True else Kind.SKIP
            found.append(Found(name, kind=kind, where=what, **_said(every[0])))
    return found


def _image(data: dict[str, Any], what: str) -> str:
    """The name that our own tasks carry, else the end of the image's address."""
    if isinstance(data.get("name"), str) and data["name"]:
        return str(data["name"])
    return of_address(a_text(data.get("image"), f"image of {what}")).lstrip("/")


def _said(annotation: dict[str, Any]) -> dict[str, Any]:
    """Who made an annotation, how long it took, and when it was last changed."""
    by = annotation.get("completed_by")
    by = by.get("email") or by.get("id") if isinstance(by, dict) else by
    return {
        "annotator": str(by)[:200] if isinstance(by, str | int) else "",
        "seconds": seconds_of(annotation.get("lead_time")),
        "time": time_of(annotation.get("updated_at") or annotation.get("created_at")),
    }


def _found(name: str, annotation: dict[str, Any], context: Context, what: str) -> Found:
    """What one annotation says of its image."""
    results = [a_table(r, f"a result of {what}") for r in a_list(annotation.get("result"), f"result of {what}")]
    known: dict[str, Any] = {"name": name, "where": what, **_said(annotation)}
    if context.task == CLASSIFICATION:
        try:
            return Found(label=_choice(results, what), **known)
        except LabelError as error:
            return Found(problem=str(error), **known)
    return Found(load=partial(_painted, results, what), **known)


def _choice(results: list[dict[str, Any]], what: str) -> str:
    areas = {str(result.get("id")) for result in results if result.get("type") not in _NO_AREAS}
    chosen = [
        choice
        for result in results
        if result.get("type") == "choices"
        and str(result.get("id", "")) not in areas
        # What is said of a region has its place beside the choices, or its id.
        and _value(result, what).keys() <= {"choices"}
        for choice in a_list(_value(result, what).get("choices"), f"choices of {what}")
    ]
    if len(chosen) != 1:
        raise LabelError(
            f"{what} has {len(chosen)} choices of the whole image; a class is exactly one: "
            'use <Choices choice="single"> without perRegion'
        )
    return a_text(chosen[0], f"the choice of {what}")


def _value(result: dict[str, Any], what: str) -> dict[str, Any]:
    return a_table(result.get("value"), f"a value of {what}")


def _painted(results: list[dict[str, Any]], what: str, size: Size) -> Codes:
    """The regions of one annotation."""
    return paint((_region(result, what, size) for result in results if result.get("type") not in _NO_AREAS), size)


def _region(result: dict[str, Any], what: str, size: Size) -> tuple[str, Region]:
    """A region's class and pixels; LabelError unless it was drawn on this image, upright and at this size."""
    kind, value = result.get("type"), _value(result, what)
    draw = _DRAWN.get(str(kind))
    if draw is None:
        raise LabelError(f"it has a result of type {shown(kind)}; only brushlabels and polygonlabels are label maps")
    said = (result.get("original_width"), result.get("original_height"))
    turned = result.get("image_rotation", 0)
    if said != size or turned != 0:
        raise LabelError(f"it is drawn on {said[0]} x {said[1]} turned by {turned}, not {size[0]} x {size[1]}")
    names = a_list(value.get(str(kind)), f"{kind} of {what}")
    if len(names) != 1:
        raise LabelError(f"a region has {len(names)} labels; it must have one")
    region = draw(value, size, what)
    return a_text(names[0], f"a label of {what}"), region


def _brush(value: dict[str, Any], size: Size, what: str) -> Region:
    if value.get("format") != "rle":
        raise LabelError(f"a brush has the format {shown(value.get('format'))}; only rle is read")
    return decode([a_number(byte, f"a byte of {what}", 255) for byte in a_list(value.get("rle"), "rle")], size, what)


def _polygon(value: dict[str, Any], size: Size, what: str) -> Region:
    points = a_list(value.get("points"), f"points of {what}")
    if not all(isinstance(p, list) and len(p) == 2 and all(_is_share(v) for v in p) for p in points):
        raise LabelError("a polygon has points that are no pairs of numbers up to 1e9")
    return fill(np.array(points, dtype=np.float64).reshape(-1, 2) * np.array(size) / 100, size, what)


_DRAWN = {"brushlabels": _brush, "polygonlabels": _polygon}


def _is_share(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) <= 1e9


def write(out: Path, labelled: Sequence[Labelled], context: Context) -> None:
    """Writes tasks with one annotation each, cancelled for skips and ignores; void is left unpainted."""
    with appearing(out) as path, path.open("w", encoding="utf-8") as file:
        # Task by task: the brushes of a whole pool would fill the memory.
        for index, one in enumerate(labelled):
            file.write("[" if not index else ",\n")
            json.dump(_task(one, context), file)
        file.write("]\n" if labelled else "[]\n")


def _task(one: Labelled, context: Context) -> dict[str, Any]:
    annotation: dict[str, Any] = {"result": [], "was_cancelled": one.kind is not Kind.ANSWER}
    if one.kind is Kind.ANSWER:
        annotation["result"] = _choices(one) if context.task == CLASSIFICATION else _brushes(one, context)
    if one.annotator:
        annotation["completed_by"] = {"email": one.annotator}
    if one.seconds is not None:
        annotation["lead_time"] = one.seconds
    if one.time is not None:
        annotation["created_at"] = one.time.isoformat()
    ignored = {"ignored": True} if one.kind is Kind.IGNORE else {}
    if one.confidence is not None:  # to be corrected there, and no label before
        prediction = {"model_version": one.annotator, "score": one.confidence, "result": annotation["result"]}
        return {"data": _data(one), "predictions": [prediction]}
    return {"data": {**_data(one), **ignored}, "annotations": [annotation]}


def _data(one: Labelled | Asked, prefix: str = "") -> dict[str, Any]:
    return {"image": prefix + quote(one.name, errors="surrogateescape"), "name": one.name, "item": one.item}


def _choices(one: Labelled) -> list[dict[str, Any]]:
    value = {"choices": [one.label]}
    return [{"id": f"p{one.item}", "from_name": "choice", "to_name": "image", "type": "choices", "value": value}]


def _brushes(one: Labelled, context: Context) -> list[dict[str, Any]]:
    """A brush a class that the mask shows."""
    tag = {"from_name": "tag", "to_name": "image", "type": "brushlabels"}
    drawn_on = {"original_width": one.size[0], "original_height": one.size[1], "image_rotation": 0}
    brushes = [
        (f"p{one.item}-{index}", {"format": "rle", "rle": encode(region), "brushlabels": [name]})
        for index, name, region in parts(one.mask(), context.classes)
    ]
    return [{"id": number, **tag, **drawn_on, "value": value} for number, value in brushes]


def ask(out: Path, question: Question) -> None:
    """Writes tasks to import, in rank order; `prefix` goes before each image's name to make its address."""
    tasks = [
        {"data": {**_data(one, question.prefix), "round": question.round, "rank": one.rank, "score": one.score}}
        for one in question.asked
    ]
    with appearing(out) as path:
        path.write_text(json.dumps(tasks, indent=1) + "\n", encoding="utf-8")
