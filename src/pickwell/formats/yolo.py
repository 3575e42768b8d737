"""YOLO: classes as folders in `train` and `val`; masks as `labels/.../x.txt`, a class and a polygon a line.

Use when: a data set is made for YOLO, or came from it.
Source: https://docs.ultralytics.com/datasets/

Names of masks' classes come from data.yaml or classes.txt beside the folder labels.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pickwell.errors import LabelError
from pickwell.formats.exchange.data_yaml import all_labelled, class_names, data_yaml
from pickwell.formats.exchange.found import CLASSIFICATION, SEGMENTATION, Codes, Context, Found, Labelled, Size
from pickwell.formats.exchange.names import by_split, distinct, inside
from pickwell.formats.exchange.outlines import outlines
from pickwell.formats.exchange.paths import appearing, files_below, read_text, save, shown
from pickwell.formats.exchange.readings import without_ending
from pickwell.formats.exchange.shapes import fill, paint, parts
from pickwell.formats.folders import by_folder, check_folders, place_image

TASKS = (CLASSIFICATION, SEGMENTATION)
OPTIONS = {"write": ("--copies",)}

SPLITS = ("train", "val", "valid", "test")
"""The folders of a data set of classes."""

Corners = NDArray[np.float64]
"""The corners `(N, 2)` of a polygon, in pixels."""

_SLACK = 0.01
"""So far beyond the image's edge a corner may lie: tools round."""


def read(where: Path, context: Context) -> list[Found]:
    """The images in the folders of their classes; or those with at least one polygon, of which smaller ones lie on top.

    Images without a polygon count if a background class is named, or if data.yaml says `labelled: true`.
    """
    if context.task == CLASSIFICATION:
        return _classified(where, context)
    names, empty = class_names(where), bool(context.background) or all_labelled(where)
    found = []
    for folder in _label_folders(where):
        for name, path in files_below(folder, ".txt"):
            lines = [line.strip() for line in read_text(path).splitlines() if line.strip()]
            if lines or empty:
                image = _image(folder.parent.relative_to(where), name.removesuffix(".txt"), context)
                said = path.relative_to(where).as_posix()
                found.append(Found(image, load=partial(_painted, lines, names), where=said))
    return found


def _classified(where: Path, context: Context) -> list[Found]:
    """The images of each split, whose names may hold the class's folder or not."""
    splits = [where / split for split in SPLITS if (where / split).is_dir()]
    if not splits:
        raise LabelError(f"{where} holds no folder train, val or test; name the folder that these are in")
    found = []
    for split in splits:
        for one in by_folder(split):
            place = f"{split.name}/{one.where}"
            name = place if context.knows(place) else f"{split.name}/{one.name}"
            found.append(replace(one, name=name, where=place))
    return found


def _label_folders(where: Path) -> list[Path]:
    """The folders of labels: one, or one a split as Roboflow writes them."""
    own = where / "labels"
    return [own] if own.is_dir() else sorted(path for path in where.glob("*/labels") if path.is_dir()) or [own]


def _image(split: Path, name: str, context: Context) -> str:
    """The name of a split's image, in the folder `images` where the pool has it so."""
    beside = (split / "images" / name).as_posix()
    return beside if context.knows(beside) else (split / name).as_posix()


def _painted(lines: list[str], names: dict[int, str], size: Size) -> Codes:
    """The polygons of one file."""
    shapes = sorted(_shapes(lines, names, size), key=lambda shape: -_area(shape[1]))
    return paint(((name, fill(corners, size)) for name, corners in shapes), size)


def _shapes(lines: list[str], names: dict[int, str], size: Size) -> Iterator[tuple[str, Corners]]:
    """Class and corners, in pixels, of each line."""
    for number, line in enumerate(lines, 1):
        what = f"line {number}"
        first, *rest = line.split()
        if not first.isascii() or not first.isdigit() or len(first) > 9 or int(first) not in names:
            raise LabelError(f"{what} has the class {shown(first)}, which names does not have")
        if len(rest) == 4:
            raise LabelError(f"{what} is a box, not a polygon; export segmentation labels")
        yield names[int(first)], _corners(rest, what) * np.array(size)


def _area(corners: Corners) -> float:
    """The area of a polygon in pixels, by the shoelace formula."""
    x, y = corners.T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


def _corners(rest: list[str], what: str) -> Corners:
    try:
        values = [float(value) for value in rest]
    except ValueError:
        raise LabelError(f"{what} has coordinates that are no numbers") from None
    if len(values) % 2 or len(values) < 6:
        raise LabelError(f"{what} has {len(values)} coordinates; a polygon has x and y of at least 3 corners")
    if not all(math.isfinite(value) and -_SLACK <= value <= 1 + _SLACK for value in values):
        raise LabelError(f"{what} has coordinates that are not between 0 and 1")
    return np.array(values).reshape(-1, 2)


def write(out: Path, labelled: Sequence[Labelled], context: Context) -> None:
    """Writes images, in the split that a folder of their name says, and for masks labels and data.yaml.

    Images are links, unless copies are wanted or they are no files. Each part of a class whose pixels share edges is a
    polygon, along the edges of its pixels; void is in none.
    """
    if context.task == CLASSIFICATION:
        return _write_classes(out, labelled, context)
    places = distinct([by_split(one.name) for one in labelled])
    with appearing(out) as folder:
        for one, (split, name) in zip(labelled, places, strict=True):
            place_image(folder / "images" / split / inside(name + _ending(one)), one, context.copies)
            save(folder / "labels" / split / inside(f"{name}.txt"), "".join(_lines(one, context)).encode())
        save(folder / "data.yaml", data_yaml(sorted({split for split, _ in places}), context.classes).encode())
    return None


def _write_classes(out: Path, labelled: Sequence[Labelled], context: Context) -> None:
    check_folders(labelled)
    named = [(one, *by_split(one.name)) for one in labelled]
    places = distinct([f"{split}/{one.label}/{name}{_ending(one)}" for one, split, name in named])
    with appearing(out) as folder:
        for one, place in zip(labelled, places, strict=True):
            place_image(folder / inside(place), one, context.copies)


def _ending(one: Labelled) -> str:
    return one.name[len(without_ending(one.name)) :]


def _lines(one: Labelled, context: Context) -> Iterator[str]:
    """A line for each polygon: six digits are a pixel's twentieth in the largest images."""
    for index, _, region in parts(one.mask(), context.classes):
        for corners in outlines(region):
            shares = (np.array(corners) / one.size).ravel().tolist()
            yield f"{index} {' '.join(f'{share:.6f}' for share in shares)}\n"
