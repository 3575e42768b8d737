"""What the fuzzer starts from: whole files of every kind, and the readers that they are for."""

import contextlib
import io
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from tests.data.test_every_kind import described, written

from pickwell import formats
from pickwell.data.decode import examine, view
from pickwell.data.opening import Limits
from pickwell.errors import LabelError
from pickwell.tasks.segmentation.mask_values import MaskValues
from pickwell.testing.format_bench import Bench, four_images

PIXELS = 1 << 21
"""Larger images are refused before they are decoded, so that the time of an input is its reader's."""
CLASSES = ("road", "car")
ITS_CLASSES = {"camvid": ("Road", "Car")}
VALUES = (MaskValues(3), MaskValues(3, (1,), (("255", 2), ("#ff0000", 1))))


@dataclass(frozen=True)
class Reader:
    """Something that reads bytes from outside, and whole files for it; `read` may refuse with a PickwellError alone."""

    name: str
    files: tuple[bytes, ...]
    read: Callable[[bytes], object]


def readers(folder: Path) -> list[Reader]:
    """Every reader, each kind of image and of label file on its own; they work in `folder`."""
    images: dict[str, list[bytes]] = {}
    for name, data in (*written(), *described()):
        images.setdefault(name.partition("-")[0], []).append(data)
    found = [Reader(f"image {kind}", tuple(files), _image) for kind, files in images.items()]
    found.append(Reader("mask", tuple(_masks()), _mask))
    bench = Bench(four_images(folder / "pool"), folder)
    for name in formats.available():
        for kind in formats.tasks_of(formats.named(name)):
            if kind in ("classification", "segmentation"):
                found += _labels(bench, name, kind, folder / f"{name} {kind}")
    return found


def _image(data: bytes) -> object:
    limits = Limits(pixels=PIXELS)
    size = examine(data, limits).size
    assert view(data, 32, limits).shape == (3, 32, 32)
    return size


def _mask(data: bytes) -> object:
    for values in VALUES:
        with contextlib.suppress(LabelError):  # so that both kinds of values are tried
            pixels = values.pixels(data)
            assert values.label_map(pixels).shape == pixels.shape
    return None


def _masks() -> list[bytes]:
    y, x = np.mgrid[0:17, 0:24]
    grey = Image.fromarray(((x + y) % 3).astype(np.uint8))
    made = []
    for mode in ("L", "P", "1", "RGB", "RGBA"):
        for settings in ({}, {"bits": 4}, {"compress_level": 0}):
            with contextlib.suppress(OSError, KeyError):
                out = io.BytesIO()
                grey.convert(mode).save(out, "PNG", **settings)
                made.append(out.getvalue())
    return made


def _labels(bench: Bench, name: str, kind: str, folder: Path) -> list[Reader]:
    """A reader for each file that a format writes, the others left as they are."""
    module, classes = formats.named(name), ITS_CLASSES.get(name, CLASSES)
    context = bench.context(kind, classes)
    if not (hasattr(module, "read") and hasattr(module, "write")):
        return []
    masks = [np.full(bench.size(item)[::-1], item % 2, np.uint8) for item in range(len(bench.pool))]
    labels = masks if kind == "segmentation" else [classes[item % 2] for item in range(len(bench.pool))]
    whole = folder / "whole"
    folder.mkdir()
    module.write(whole, bench.labelled(labels), context)
    files = [path for path in (whole.rglob("*") if whole.is_dir() else [whole]) if path.is_file()]

    def reader(file: Path) -> Reader:
        place = folder / str(len(made))
        shutil.copytree(whole, place) if whole.is_dir() else shutil.copy(whole, place)
        target = place / file.relative_to(whole) if whole.is_dir() else place

        def read(data: bytes) -> object:
            bench.kept.clear()
            target.write_bytes(data)
            try:
                return bench.read(name, place, context)
            except LabelError:
                assert bench.kept == [], "something was kept of a file that was refused"
                raise

        return Reader(f"{name} {kind} {file.name}", (file.read_bytes(),), read)

    made: list[Reader] = []
    for file in files[:4]:
        made.append(reader(file))
    return made
