"""labelme: a JSON file beside each image. Polygons (masks and rectangles in) for label maps, flags for classes.

Use when: people label in labelme, or a program reads its files.
Source: https://github.com/wkentaro/labelme
"""

import base64
import binascii
import json
import posixpath
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pickwell.errors import LabelError
from pickwell.formats.exchange.found import CLASSIFICATION, SEGMENTATION, Codes, Context, Found, Labelled, Size
from pickwell.formats.exchange.names import Places, inside
from pickwell.formats.exchange.outlines import outlines
from pickwell.formats.exchange.paths import a_list, a_table, a_text, appearing, files_below, read_json, save, shown
from pickwell.formats.exchange.run_lengths import Region
from pickwell.formats.exchange.shapes import fill, paint, parts
from pickwell.formats.folders import place_image
from pickwell.tasks.segmentation.label_maps import decode

TASKS = (CLASSIFICATION, SEGMENTATION)
OPTIONS = {"write": ("--copies",)}


def read(where: Path, context: Context) -> list[Found]:
    """What the JSON files below a folder say, or one file: the flag that is set, or the shapes, later ones on top.

    An image without any is taken for one that nobody has labelled, unless the file says `"labelled": true`.
    """
    files = files_below(where, ".json") if where.is_dir() else [(where.name, where)]
    found = []
    for name, path in files:
        file = a_table(read_json(path), str(path))
        shapes = a_list(file.get("shapes"), f"shapes of {path}")
        image = _image(name, a_text(file.get("imagePath"), f"imagePath of {path}"))
        if context.task == SEGMENTATION and (shapes or file.get("labelled") is True):
            found.append(Found(image, load=partial(_painted, file, shapes), where=name))
        elif context.task == CLASSIFICATION:
            flags = a_table(file.get("flags") or {}, f"flags of {path}")
            found += _flagged(image, [flag for flag, is_set in flags.items() if is_set is True], name)
    return found


def _image(name: str, said: str) -> str:
    """The image's name: its path is relative to the file that names it, perhaps with Windows' separators."""
    path = posixpath.normpath(posixpath.join(posixpath.dirname(name), said.replace("\\", "/")))
    while path.startswith("../"):
        path = path.removeprefix("../")
    return path


def _flagged(image: str, flags: list[str], where: str) -> list[Found]:
    """The class that the one set flag names; nothing where none is set."""
    if len(flags) > 1:
        return [Found(image, problem=f"it has {len(flags)} flags; a class is exactly one", where=where)]
    return [Found(image, flag, where=where) for flag in flags]


def _painted(file: dict[str, Any], shapes: list[Any], size: Size) -> Codes:
    """The shapes of one image."""
    said = (file.get("imageWidth"), file.get("imageHeight"))
    if said not in (size, (None, None)):
        raise LabelError(f"it is {said[0]} x {said[1]} there, the image {size[0]} x {size[1]}")
    tables = (a_table(shape, "a shape") for shape in shapes)
    return paint(((a_text(shape.get("label"), "the label of a shape"), _region(shape, size)) for shape in tables), size)


def _region(shape: dict[str, Any], size: Size) -> Region:
    kind = shape.get("shape_type") or "polygon"
    draw = _DRAWN.get(str(kind))
    if draw is None:
        raise LabelError(f"it has a shape of type {shown(kind)}; only polygons, rectangles and masks are label maps")
    points = a_list(shape.get("points"), "points of a shape")
    if not all(isinstance(point, list) and len(point) == 2 and all(map(_is_number, point)) for point in points):
        raise LabelError("a shape has points that are no pairs of numbers")
    return draw(points, shape, size)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) <= 1e9


def _polygon(points: list[list[float]], shape: dict[str, Any], size: Size) -> Region:
    return fill(points, size)


def _rectangle(points: list[list[float]], shape: dict[str, Any], size: Size) -> Region:
    (x, y), (other_x, other_y) = _two(points, "a rectangle")
    return fill([[x, y], [other_x, y], [other_x, other_y], [x, other_y]], size)


def _mask(points: list[list[float]], shape: dict[str, Any], size: Size) -> Region:
    """The pixels of a picture whose first and last corner, both included, are the points."""
    (left, top), (right, bottom) = ((round(x), round(y)) for x, y in _two(points, "a mask"))
    try:
        data = base64.b64decode(a_text(shape.get("mask"), "the mask of a shape"), validate=True)
    except (binascii.Error, ValueError):
        raise LabelError("a shape has a mask that is no base64; save it again") from None
    inner = decode(data) > 0
    fits = left >= 0 and right < size[0] and top >= 0 and bottom < size[1]
    if not fits or inner.shape != (bottom - top + 1, right - left + 1):
        raise LabelError(f"a mask of {inner.shape[1]} x {inner.shape[0]} pixels does not fit its points in the image")
    region = np.zeros((size[1], size[0]), dtype=np.bool_)
    region[top : bottom + 1, left : right + 1] = inner
    return region


def _two(points: list[list[float]], what: str) -> list[list[float]]:
    if len(points) != 2:
        raise LabelError(f"{what} has {len(points)} points; it needs 2")
    return points


_DRAWN = {"polygon": _polygon, "rectangle": _rectangle, "mask": _mask}


def write(out: Path, labelled: Sequence[Labelled], context: Context) -> None:
    """Writes images, links unless copies are wanted or they are no files, and beside each what is said of it.

    Each part of a class whose pixels share edges is a polygon, along the edges of its pixels; void is in none.
    """
    places = Places([one.name for one in labelled])
    with appearing(out) as folder:
        for one in labelled:
            image = place_image(folder / inside(one.name), one, context.copies)
            file = {**_said(one, context), "imagePath": image.name}
            save(folder / places.of(one.name, ".json"), json.dumps(file, indent=1).encode())


def _said(one: Labelled, context: Context) -> dict[str, Any]:
    is_class = context.task == CLASSIFICATION
    shapes = [] if is_class else [shape for part in parts(one.mask(), context.classes) for shape in _shapes(*part[1:])]
    flags = {name: name == one.label for name in context.classes} if is_class else {}
    width, height = one.size
    own = {} if is_class or shapes else {"labelled": True}
    size = {"imageData": None, "imageHeight": height, "imageWidth": width}
    return {"version": "5.0.0", "flags": flags, "shapes": shapes, **size, **own}


def _shapes(name: str, region: Region) -> list[dict[str, Any]]:
    common: dict[str, Any] = {"label": name, "group_id": None, "shape_type": "polygon", "flags": {}}
    return [{**common, "points": corners} for corners in outlines(region)]
