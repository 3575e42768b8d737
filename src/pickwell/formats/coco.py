"""COCO JSON: run lengths and polygons in, run lengths out, one for each class of an image.

Use when: a tool knows COCO, as most do that draw or learn from masks.
Source: https://cocodataset.org/#format-data
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pickwell.errors import LabelError
from pickwell.formats.exchange.found import SEGMENTATION, Codes, Context, Found, Labelled, Size
from pickwell.formats.exchange.paths import a_list, a_number, a_table, a_text, appearing, read_json
from pickwell.formats.exchange.run_lengths import Region, box_of, coco_decode, coco_encode
from pickwell.formats.exchange.shapes import fill, paint, parts

TASKS = (SEGMENTATION,)


def read(where: Path, context: Context) -> list[Found]:
    """The images that have annotations; later annotations lie over earlier ones.

    An image without any is taken for one that nobody has labelled, unless it says `"labelled": true`.
    """
    file = a_table(read_json(where), str(where))
    names = _categories(file)
    shapes: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for index, one in enumerate(a_list(file.get("annotations"), "annotations")):
        annotation = a_table(one, f"annotation {index}")
        shapes[a_number(annotation.get("image_id"), f"image_id of annotation {index}", 1 << 62)].append(annotation)
    found = list(_images(file, shapes, names))
    if shapes:
        raise LabelError(f"{where} has annotations of image {next(iter(shapes))}, which it does not list; export again")
    return found


def _categories(file: dict[str, Any]) -> dict[int, str]:
    """The names of the classes by their ids in the file."""
    names: dict[int, str] = {}
    for one in a_list(file.get("categories"), "categories"):
        category = a_table(one, "a category")
        number = a_number(category.get("id"), "the id of a category", 1 << 62)
        if number in names:
            raise LabelError(f"two categories have the id {number}; export the file again")
        names[number] = a_text(category.get("name"), f"the name of category {number}")
    return names


def _images(file: dict[str, Any], shapes: dict[int, list[dict[str, Any]]], names: dict[int, str]) -> Iterator[Found]:
    seen: set[int] = set()
    for index, one in enumerate(a_list(file.get("images"), "images")):
        image = a_table(one, f"image {index}")
        number = a_number(image.get("id"), f"the id of image {index}", 1 << 62)
        if number in seen:
            raise LabelError(f"two images have the id {number}; export the file again")
        seen.add(number)
        name = a_text(image.get("file_name"), f"file_name of image {number}")
        # Taken out: what is left at the end belongs to no image.
        own = shapes.pop(number, [])
        if own or image.get("labelled") is True:
            yield Found(name, load=partial(_painted, image, own, names), where=f"image {number}")


def _painted(image: dict[str, Any], shapes: list[dict[str, Any]], names: dict[int, str], size: Size) -> Codes:
    """The shapes of one image."""
    said = (image.get("width"), image.get("height"))
    if said not in (size, (None, None)):
        raise LabelError(f"it is {said[0]} x {said[1]} there, the image {size[0]} x {size[1]}")
    return paint((_shape(one, names, size) for one in shapes), size)


def _shape(shape: dict[str, Any], names: dict[int, str], size: Size) -> tuple[str, Region]:
    what = f"annotation {shape.get('id')!s:.30}"
    category = a_number(shape.get("category_id"), f"category_id of {what}", 1 << 62)
    if category not in names:
        raise LabelError(f"{what} is of category {category}, which the file does not list")
    return names[category], _region(shape.get("segmentation"), size, what)


def _region(segmentation: Any, size: Size, what: str) -> Region:
    """The pixels of an annotation: of run lengths, or of all its polygons together."""
    if isinstance(segmentation, dict):
        if segmentation.get("size") != [size[1], size[0]]:
            raise LabelError(f"{what} has run lengths of another size than {size[0]} x {size[1]}")
        return coco_decode(segmentation.get("counts"), size, what)
    polygons = a_list(segmentation, f"segmentation of {what}")
    if not polygons:
        raise LabelError(f"{what} has neither run lengths nor a polygon")
    region = fill(_points(polygons[0], what), size, what)
    for polygon in polygons[1:]:
        region |= fill(_points(polygon, what), size, what)
    return region


def _points(polygon: Any, what: str) -> list[list[Any]]:
    flat = a_list(polygon, f"a polygon of {what}")
    if len(flat) % 2 or any(type(value) not in (int, float) for value in flat):
        raise LabelError(f"{what} has a polygon that is no list of x, y, x, y, ...")
    return [flat[at : at + 2] for at in range(0, len(flat), 2)]


def write(out: Path, labelled: Sequence[Labelled], context: Context) -> None:
    """Writes one annotation a class and image, compressed run lengths; categories count from 1."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, one in enumerate(labelled, 1):
        found = parts(one.mask(), context.classes)
        images.append({"id": number, "file_name": one.name, "width": one.size[0], "height": one.size[1]})
        if not found:
            images[-1]["labelled"] = True  # or nobody would seem to have labelled it
        for index, _, region in found:
            annotations.append(_annotation(len(annotations) + 1, number, index + 1, region))
    categories = [{"id": index, "name": name} for index, name in enumerate(context.classes, 1)]
    with appearing(out) as path:
        text = json.dumps({"images": images, "categories": categories, "annotations": annotations})
        path.write_text(text, encoding="utf-8")


def _annotation(number: int, image: int, category: int, region: Region) -> dict[str, Any]:
    return {
        "id": number,
        "image_id": image,
        "category_id": category,
        "segmentation": {"size": list(region.shape), "counts": coco_encode(region)},
        "area": int(region.sum()),
        "bbox": list(box_of(region)),
        # A crowd would be left out by trainers, and forgiven by COCOeval; run lengths are known by being a table.
        "iscrowd": 0,
    }
