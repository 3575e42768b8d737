"""CVAT for images 1.1 (XML): tags for classes; masks, and polygons in, for label maps.

Use when: people label in CVAT.
Source: https://docs.cvat.ai
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from pickwell.errors import LabelError
from pickwell.formats.exchange.found import CLASSIFICATION, SEGMENTATION, Codes, Context, Found, Labelled, Size
from pickwell.formats.exchange.paths import appearing, read_elements, shown
from pickwell.formats.exchange.provenance import kind_of, provenance, told
from pickwell.formats.exchange.run_lengths import Region, cvat_decode, cvat_encode
from pickwell.formats.exchange.shapes import fill, paint, parts
from pickwell.items import Kind

TASKS = (CLASSIFICATION, SEGMENTATION)
KINDS = tuple(Kind)

_WHOLE = re.compile("-?[0-9]{1,9}")
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Characters that XML cannot hold, not even escaped."""
_SHAPES = ("mask", "polygon", "box", "polyline", "points", "ellipse", "cuboid", "skeleton")

Attributes = dict[str, str]


@dataclass
class _Image:
    """An image element with its tags and shapes."""

    attributes: Attributes
    tags: list[str] = field(default_factory=list)
    shapes: list[tuple[str, Attributes]] = field(default_factory=list)


def read(where: Path, context: Context) -> list[Found]:
    """The images with a tag, or with shapes: those of a higher z_order lie on top, among equals the later ones.

    An image without any shape is taken for one that nobody has labelled, unless it says `labelled="true"`. CVAT has no
    skips nor annotators of an image: they are attributes of our own, which others pass over.
    """
    found = []
    for index, image in enumerate(_images(where)):
        what = f"image {image.attributes.get('id', index)!s:.30}"
        name = _name(image.attributes)
        if not name:
            raise LabelError(f"{what} of {where} has no name; export the file again")
        said, kind = provenance(image.attributes), kind_of(image.attributes)
        if kind is not Kind.ANSWER and not image.tags and not image.shapes:
            found.append(Found(name, kind=kind, where=what, **said))
        elif context.task == CLASSIFICATION and image.tags:
            found.append(_tagged(name, image.tags, what, said))
        elif context.task == SEGMENTATION and (image.shapes or image.attributes.get("labelled") == "true"):
            found.append(Found(name, load=partial(_painted, image), where=what, **said))
    return found


def _images(where: Path) -> Iterator[_Image]:
    image: _Image | None = None
    for depth, name, attributes in read_elements(where, "annotations"):
        if depth == 1:
            if image:
                yield image
            image = _Image(attributes) if name == "image" else None
        elif image and depth == 2 and name == "tag":
            image.tags.append(attributes.get("label", ""))
        elif image and depth == 2 and name in _SHAPES:
            image.shapes.append((name, attributes))
    if image:
        yield image


def _name(attributes: Attributes) -> str:
    """The image's name in its subset, which is a folder of its own: each may hold an image of the same name."""
    name, subset = attributes.get("name", ""), attributes.get("subset", "default")
    return f"{subset}/{name}" if name and subset != "default" and not name.startswith(f"{subset}/") else name


def _tagged(name: str, tags: list[str], what: str, said: dict[str, Any]) -> Found:
    """The one class that all tags of an image name, else a problem."""
    if len(set(tags)) != 1:
        return Found(
            name, problem=f"it has {len(tags)} tags, {shown(tags[0])} first; a class is exactly one", where=what
        )
    return Found(name, tags[0], where=what, **said)


def _painted(image: _Image, size: Size) -> Codes:
    """The shapes of one image."""
    said = tuple(_number(image.attributes, key) for key in ("width", "height"))
    if said != size:
        raise LabelError(f"it is {said[0]} x {said[1]} there, the image {size[0]} x {size[1]}")
    shapes = sorted(image.shapes, key=lambda shape: _number(shape[1], "z_order", "0"))
    return paint((_region(kind, attributes, size) for kind, attributes in shapes), size)


def _number(attributes: Attributes, key: str, default: str = "") -> int:
    text = attributes.get(key, default)
    if not _WHOLE.fullmatch(text):
        raise LabelError(f"its {key} is {shown(text)}; it must be a whole number")
    return int(text)


def _region(kind: str, attributes: Attributes, size: Size) -> tuple[str, Region]:
    label = attributes.get("label", "")
    if kind not in _DRAWN:
        raise LabelError(f"it has a {kind} of {shown(label)}; only masks and polygons are label maps")
    return label, _DRAWN[kind](attributes, size, f"a {kind} of {shown(label)}")


def _mask(attributes: Attributes, size: Size, what: str) -> Region:
    left, top, width, height = (_number(attributes, key) for key in ("left", "top", "width", "height"))
    try:
        runs = [int(run) for run in attributes.get("rle", "").split(",")]
    except ValueError:
        raise LabelError(f"it has a mask whose rle is {shown(attributes.get('rle'))}") from None
    return cvat_decode(runs, (left, top, width, height), size, what)


def _polygon(attributes: Attributes, size: Size, what: str) -> Region:
    try:
        pairs = [pair.split(",") for pair in attributes.get("points", "").split(";")]
        points = [[float(x), float(y)] for x, y in pairs]
    except ValueError:
        raise LabelError(f"it has a polygon whose points are {shown(attributes.get('points'))}") from None
    return fill(points, size, what)


_DRAWN = {"mask": _mask, "polygon": _polygon}
"""What is read of the shapes that CVAT draws."""


def write(out: Path, labelled: Sequence[Labelled], context: Context) -> None:
    """Writes one tag an image, or one mask a class; void is left out."""
    kind = "tag" if context.task == CLASSIFICATION else "mask"
    with appearing(out) as path, path.open("w", encoding="utf-8") as file:
        file.write(
            '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n<version>1.1</version>\n<meta><task><labels>\n'
        )
        for name in context.classes:
            file.write(f"<label><name>{escape(name)}</name><type>{kind}</type></label>\n")
        file.write("</labels></task></meta>\n")
        for number, one in enumerate(labelled):
            inner = list(_labels(one, context)) if one.kind is Kind.ANSWER else []
            size = f'width="{one.size[0]}" height="{one.size[1]}"'
            own = told(one) if inner or one.kind is not Kind.ANSWER else {"labelled": "true", **told(one)}
            known = "".join(f" {key}={_attribute(text)}" for key, text in own.items())
            file.write(f'<image id="{number}" name={_attribute(one.name)} {size}{known}>\n{"".join(inner)}</image>\n')
        file.write("</annotations>\n")


def _labels(one: Labelled, context: Context) -> Iterator[str]:
    """The elements of an image's label: its tag, or its masks."""
    if context.task == CLASSIFICATION:
        yield f'<tag label={_attribute(one.label)} source="manual"></tag>\n'
        return
    for _, name, region in parts(one.mask(), context.classes):
        runs, (left, top, width, height) = cvat_encode(region)
        rle = ", ".join(map(str, runs))
        box = f'left="{left}" top="{top}" width="{width}" height="{height}"'
        yield f'<mask label={_attribute(name)} source="manual" occluded="0" rle="{rle}" {box} z_order="0"></mask>\n'


def _attribute(value: str) -> str:
    if _NO_XML.search(value):
        raise LabelError(f"the name {value!r} cannot be written as XML; export in another format, or rename it")
    return quoteattr(value)
