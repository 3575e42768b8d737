"""Files of every kind that Pillow writes, and damaged in every part: what Pillow shows is in the pool."""

import io
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps, PngImagePlugin

from pickwell.data.grey_levels import Greys
from pickwell.data.image_errors import Reason
from pickwell.data.pool import Pool
from pickwell.data.tree import SUFFIXES

WIDTH, HEIGHT = 24, 17
Y, X = np.mgrid[0:HEIGHT, 0:WIDTH]
COLOURS = np.stack([X * 10, Y * 14, (X + Y) * 6, 255 - X * 9], axis=-1).astype(np.uint8)
DEEP = {"I;16": (X * Y * 100, np.uint16), "I": (X * Y * 100, np.int32), "F": (X * Y / 400, np.float32)}

KINDS: list[tuple[str, str, tuple[str, ...], list[dict[str, Any]]]] = [
    (
        *("jpg", "JPEG", ("L", "RGB", "CMYK")),
        [{}, {"progressive": True}, {"quality": 100}, {"subsampling": 0}, {"subsampling": 1}, {"optimize": True},
         {"restart_marker_blocks": 2}, {"keep_rgb": True}, {"comment": b"hello"}, {"dpi": (300, 300)}],
    ),
    ("png", "PNG", ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "I;16", "I"), [{}, {"compress_level": 0}, {"bits": 4}]),
    ("gif", "GIF", ("1", "L", "P", "RGB", "RGBA"), [{}, {"interlace": 0}, {"transparency": 3}]),
    ("bmp", "BMP", ("1", "L", "P", "RGB", "RGBA"), [{}]),
    ("webp", "WEBP", ("L", "RGB", "RGBA", "P"), [{}, {"lossless": True}, {"method": 0}]),
    ("avif", "AVIF", ("L", "RGB", "RGBA"), [{}]),
    (
        *("tif", "TIFF", ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "I;16", "I", "F")),
        [{}, *({"compression": name} for name in (
            "tiff_lzw", "tiff_adobe_deflate", "packbits", "group3", "group4", "jpeg", "lzma", "zstd", "webp",
        )), {"big_tiff": True}],
    ),
    ("jp2", "JPEG2000", ("L", "LA", "RGB", "RGBA", "I;16"), [{}, {"irreversible": True}, {"no_jp2": True}]),
    ("ppm", "PPM", ("1", "L", "RGB", "I", "F"), [{}]),
    ("tga", "TGA", ("1", "L", "LA", "P", "RGB", "RGBA"), [{}, {"compression": "tga_rle"}]),
    ("sgi", "SGI", ("L", "RGB", "RGBA"), [{}, {"bpc": 2}]),
    ("pcx", "PCX", ("1", "L", "P", "RGB"), [{}]),
    ("qoi", "QOI", ("RGB", "RGBA"), [{}]),
    ("dds", "DDS", ("L", "LA", "RGB", "RGBA"), [{}]),
]  # fmt: skip


def picture(mode: str) -> Image.Image:
    if mode in DEEP:
        values, kind = DEEP[mode]
        return Image.fromarray(values.astype(kind))
    rgba = Image.fromarray(COLOURS, "RGBA") if mode in ("RGBA", "LA", "PA") else Image.fromarray(COLOURS[..., :3])
    if mode == "PA":
        made = rgba.convert("P").convert("PA")
        made.putalpha(rgba.getchannel("A"))
        return made
    return rgba.convert(mode)


def written() -> Iterator[tuple[str, bytes]]:
    """A name and the bytes of each kind, mode and setting that Pillow writes."""
    for suffix, kind, modes, settings in KINDS:
        for mode in modes:
            for number, setting in enumerate(settings):
                out = io.BytesIO()
                try:
                    picture(mode).save(out, kind, **setting)
                except (OSError, ValueError, KeyError, RuntimeError):
                    continue  # a compression that this mode cannot have
                yield f"{kind}-{mode.replace(';', '_')}-{number}.{suffix}", out.getvalue()


def described() -> Iterator[tuple[str, bytes]]:
    """Files of the kinds with metadata, turned in all eight ways."""
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "x" * 100, zip=True)
    for kind, suffix in (("JPEG", "jpg"), ("PNG", "png"), ("WEBP", "webp"), ("TIFF", "tif"), ("AVIF", "avif")):
        for turned in range(10):
            exif = Image.Exif()
            exif[0x0112] = turned
            exif[0x010F] = "a camera"
            out = io.BytesIO()
            extra = {"pnginfo": text} if kind == "PNG" else {}
            picture("RGB").save(out, kind, exif=exif, icc_profile=b"a profile of colours", xmp=b"<x/>", **extra)
            yield f"{kind}-turned-{turned}.{suffix}", out.getvalue()


def places(data: bytes) -> list[int]:
    """Where to damage a file: in the heads of all segments of a JPEG and chunks of a PNG, else every few bytes."""
    marks = {b"\xff\xd8": rb"\xff[\xc0-\xfe]", b"\x89P": rb"....(IHDR|PLTE|tRNS|iCCP|eXIf|zTXt|iTXt|IDAT|IEND)"}
    if mark := marks.get(data[:2]):
        return [found.start() + step for found in re.finditer(mark, data, re.DOTALL) for step in (0, 3, 5)]
    return [*range(0, min(len(data), 120), 3), *range(120, len(data), max(1, len(data) // 20))]


def damaged(whole: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """The files cut off, overwritten, longer and shorter at each of their parts."""
    for name, data in whole.items():
        stem, _, suffix = name.rpartition(".")
        for at in places(data):
            yield f"{stem}-{at}-cut.{suffix}", data[:at]
            yield f"{stem}-{at}-zeros.{suffix}", data[:at] + bytes(3) + data[at + 3 :]
            yield f"{stem}-{at}-flipped.{suffix}", data[:at] + b"\xff\xff" + data[at + 2 :]
            yield f"{stem}-{at}-longer.{suffix}", data[:at] + b"\0" + data[at:]
            yield f"{stem}-{at}-shorter.{suffix}", data[:at] + data[at + 4 :]


def shown(data: bytes, greys: Greys | None) -> NDArray[np.uint8] | None:
    """Pillow's own pixels, upright, over white, deep greys by the rule; None where Pillow shows none."""
    try:
        with Image.open(io.BytesIO(data)) as opened:
            opened.load()
            image: Image.Image = opened
            try:
                image = ImageOps.exif_transpose(image)
            except Exception:  # orientation that cannot be read turns nothing
                image.load()
            if image.mode.startswith(("I", "F")):
                assert greys is not None
                values = np.nan_to_num(np.asarray(image, np.float64), posinf=0, neginf=0)
                grey = (np.clip(values, *greys) - greys.low) * (255 / (greys.high - greys.low))
                return np.repeat(np.rint(grey).astype(np.uint8)[..., None], 3, axis=2)
            if image.has_transparency_data:
                over = Image.new("RGBA", image.size, "white")
                over.alpha_composite(image.convert("RGBA"))
                image = over
            return np.asarray(image.convert("RGB"))
    except Exception:
        return None


def pooled(root: Path, files: dict[str, bytes]) -> tuple[Pool, dict[str, tuple[str, str]]]:
    """A pool of the files, each an image of its own, and the reasons for what is set aside."""
    (root / "files").mkdir()
    for name, data in files.items():
        (root / "files" / name).write_bytes(data)
    pool = Pool.create(root / "pool", root / "files", apart=True)
    return pool, {name: (reason, detail) for name, reason, detail in pool.set_aside()}


def compared(pool: Pool, aside: dict[str, tuple[str, str]], files: dict[str, bytes]) -> int:
    """How many of the files Pillow shows, having made sure that the pool has these, and none but these, as it does."""
    ids = {name: item for item, name in enumerate(pool.manifest.names())}
    greys, count = pool.sources[0].greys, 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, data in files.items():
            wanted = shown(data, greys)
            if wanted is None:
                # Pillow asks for the kind in certain places among those where AVIF may have it.
                assert name in aside or name.startswith("AVIF"), f"{name}: Pillow does not show it"
                continue
            count += 1
            assert name in ids, f"{name}: Pillow shows it, but it is set aside: {aside.get(name)}"
            assert np.array_equal(pool.scene(ids[name]), wanted), f"{name}: other pixels than Pillow's"
    return count


def test_files_of_every_kind_are_in_the_pool_with_pillows_pixels(tmp_path: Path) -> None:
    files = dict(written()) | dict(described())
    pool, aside = pooled(tmp_path, files)
    assert compared(pool, aside, files) == len(files) > 250
    assert not aside
    assert {Path(name).suffix for name in files} <= SUFFIXES
    assert pool.sources[0].greys == Greys(0, 65535)


@pytest.mark.parametrize(
    "kind", ["JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "AVIF", "JPEG2000", "PPM", "TGA", "PCX", "SGI", "QOI"]
)
def test_files_damaged_in_any_part_are_as_pillow_shows_them_or_set_aside(kind: str, tmp_path: Path) -> None:
    chosen = {name: data for name, data in (dict(written()) | dict(described())).items() if name.startswith(f"{kind}-")}
    rich = [name for name in chosen if re.search(r"-(RGB|P|I_16)-[01]\.|-turned-6", name)]
    files = dict(damaged({name: chosen[name] for name in rich}))
    pool, aside = pooled(tmp_path, files)
    assert compared(pool, aside, files) > 0
    told = {reason for reason, _ in aside.values()}
    told -= {Reason.EMPTY, Reason.NOT_AN_IMAGE, Reason.TRUNCATED, Reason.DAMAGED, Reason.UNREAD, Reason.TOO_LARGE}
    assert told <= {"HEIC", "icon"}  # what the first bytes may become
    assert all(detail or reason == Reason.EMPTY for reason, detail in aside.values())
