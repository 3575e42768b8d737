"""Masks as data: label maps, the PNG files that hold them, and the folder of those that somebody told."""

import hashlib
import io
import re
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL.Image import fromarray
from PIL.PngImagePlugin import PngImageFile

from pickwell.errors import LabelError, StoreError
from pickwell.files import replacing, sync
from pickwell.labels import IGNORE_INDEX

Mask = NDArray[np.uint8]
"""A label map `(H, W)`: class indices 0 to C - 1, and 255 where nothing is said."""

PIXELS = 178_956_970
"""The largest mask that is decoded: as large as the largest image."""

BYTES = 1 << 29
"""The largest mask file that is read."""

# Above this many pixels only one mask at a time is decoded, so that memory does not grow with the threads.
_LARGE = 1 << 24
_one_large = threading.Lock()
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_NAME = re.compile(r"[0-9a-f]{64}\.png")
_GREY, _PALETTE = 0, 3
_COLOURS = {2: "RGB", 4: "grey with transparency", 6: "RGB with transparency"}
_SHOWN = 5


def encode(mask: Mask) -> bytes:
    """The mask as an 8-bit grey PNG, which loses nothing."""
    out = io.BytesIO()
    fromarray(_label_map(mask)).save(out, "PNG")
    return out.getvalue()


def decode(data: bytes) -> Mask:
    """The values of a grey or palette PNG, `(H, W)`; of a palette the indices. LabelError for anything else."""
    depth, large = _header(data)
    try:
        with _one_large if large else nullcontext(), PngImageFile(io.BytesIO(data)) as image:
            image.load()
            turned = image.getexif().get(0x0112, 1)
            values = np.array(image, dtype=np.uint8)
            grey = image.mode == "L"
    except MemoryError:
        raise LabelError("the mask needs more memory than there is; cut the image and its mask into parts") from None
    except Exception as error:  # damaged files make Pillow raise nearly anything
        raise LabelError(f"the mask is a damaged PNG ({error or type(error).__name__}); write it again") from None
    if turned != 1:
        raise LabelError(f"the mask is to be turned (EXIF orientation {turned}); save it as it should be seen")
    # Pillow spreads grey of 2 and 4 bits over 0-255; the numbers in the file are what counts.
    return values // np.uint8(255 // (2**depth - 1)) if grey and depth < 8 else values


def _header(data: bytes) -> tuple[int, bool]:
    """A PNG's bit depth, and whether it is large; a LabelError says why it is no mask before a pixel is decoded."""
    if not data.startswith(_SIGNATURE) or data[12:16] != b"IHDR" or len(data) < 29:
        raise LabelError(f"the mask is no PNG (it begins with {data[:8]!r}); save it as a grey or palette PNG")
    width, height = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    depth, colour = data[24], data[25]
    if colour not in (_GREY, _PALETTE):
        said = _COLOURS.get(colour, f"of colour type {colour}")
        raise LabelError(f"the mask is {said}; a mask is a grey or palette PNG whose values are class indices")
    if depth not in (1, 2, 4, 8):
        raise LabelError(f"the mask has {depth} bits a pixel; a mask is a grey or palette PNG of at most 8")
    if not 0 < width * height <= PIXELS:
        raise LabelError(f"the mask has {width} x {height} pixels; at least 1 and at most {PIXELS:,} are decoded")
    if sum(kind == b"IHDR" for kind in _chunks(data)) > 1:  # Pillow would go by the last of them
        raise LabelError("the mask is a damaged PNG (it has more than one header); write it again")
    if b"acTL" in _chunks(data):
        raise LabelError("the mask is an animated PNG; save a single picture")
    return depth, width * height > _LARGE


def _chunks(data: bytes) -> Iterator[bytes]:
    """The kinds of the chunks before the pixels: whatever is said of the picture stands there."""
    at = len(_SIGNATURE)
    while (kind := data[at + 4 : at + 8]) not in (b"", b"IDAT"):
        yield kind
        at += 12 + int.from_bytes(data[at : at + 4], "big")


def check_mask(mask: Mask, size: tuple[int, int], classes: int, where: str = "") -> None:
    """Refuses a label map of another size (W, H) than its image's; a LabelError counts values not below C nor 255."""
    check_size(_label_map(mask, where).shape, size, where=where)
    wrong = np.arange(256) >= classes
    wrong[IGNORE_INDEX] = False
    allowed = f"the class list allows 0 to {classes - 1}, and {IGNORE_INDEX} for what is to be ignored"
    check_values(mask, wrong, allowed, where)


def check_size(shape: tuple[int, ...], size: tuple[int, int], *, where: str = "") -> None:
    """Refuses, with a LabelError, a mask of a shape (H, W) that its image of size (W, H) has not."""
    height, width = shape
    if (width, height) != tuple(size):
        raise LabelError(
            f"{where}the mask is {width} x {height} pixels, its image {size[0]} x {size[1]}; "
            "draw it on the image as it is seen upright, at full size"
        )


def check_values(values: Mask, wrong: NDArray[np.bool_], allowed: str, where: str = "") -> None:
    """Raises LabelError if any of the `wrong` values occurs, counts the commonest of them, and says what is allowed."""
    counts = counted(values)
    lost = np.flatnonzero((counts > 0) & wrong)
    if not len(lost):
        return
    most = lost[np.argsort(-counts[lost], kind="stable")]
    said = ", ".join(f"{value} ({counts[value]:,} pixels)" for value in most[:_SHOWN])
    more = f" and {len(lost) - _SHOWN} more values" if len(lost) > _SHOWN else ""
    raise LabelError(f"{where}the mask has the values {said}{more}; {allowed}")


def counted(values: NDArray[np.uint8] | NDArray[np.uint16]) -> NDArray[np.int64]:
    """How many pixels have each value that their type can hold.

    >>> counted(np.array([[0, 2, 2]], np.uint8))[:4].tolist()
    [1, 0, 2, 0]
    """
    flat, counts = values.reshape(-1), np.zeros(np.iinfo(values.dtype).max + 1, dtype=np.int64)
    for start in range(0, len(flat), 1 << 20):  # numpy counts in 8 bytes a pixel, hence block by block
        counts += np.bincount(flat[start : start + (1 << 20)], minlength=len(counts))
    return counts


def _label_map(mask: Mask, where: str = "") -> Mask:
    if mask.dtype != np.uint8 or mask.ndim != 2 or not mask.size:
        raise LabelError(
            f"{where}a mask is an array of {mask.dtype} with shape {mask.shape}; it must be uint8 with shape (H, W)"
        )
    return mask


class MaskFolder:
    """The masks that somebody told, each in a file named after its pixels: the same mask is kept once."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, mask: Mask) -> str:
        """Keeps the mask, on the disk when this returns; its name."""
        name = _name_of(mask)
        if self._whole(name):
            return name
        try:
            if not self.root.exists():
                self.root.mkdir(exist_ok=True)
                sync(self.root.parent)
            with replacing(self.root / name, shared=True) as new:
                new.write_bytes(encode(mask))
        except OSError as error:
            raise StoreError(
                f"the mask cannot be written to {self.root}: {error.strerror}; make room there, or give permission"
            ) from None
        return name

    def get(self, name: str) -> Mask:
        """The mask of that name; StoreError if it is there no more or not as it was."""
        if not _NAME.fullmatch(name):
            raise LabelError(f"a mask cannot be named '{name}'; its name is 64 hexadecimal digits and .png")
        try:
            mask = decode((self.root / name).read_bytes())
            whole = _name_of(mask) == name
        except (OSError, LabelError) as error:
            raise StoreError(f"the mask {name} cannot be read from {self.root}: {error}; put it back") from None
        if not whole:
            raise StoreError(f"the mask {name} in {self.root} is not as it was written; put it back from a copy")
        return mask

    def _whole(self, name: str) -> bool:
        """Whether the mask is there as it was written; telling it again mends it."""
        try:
            return name in self and self.get(name) is not None
        except StoreError:
            return False

    def shown(self, name: str) -> tuple[int, ...]:
        """The classes that occur in the mask of that name, ascending."""
        return _shown(self, name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MaskFolder) and other.root == self.root

    def __hash__(self) -> int:
        return hash(self.root)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and bool(_NAME.fullmatch(name)) and (self.root / name).is_file()


@lru_cache(maxsize=1 << 16)
def _shown(folder: MaskFolder, name: str) -> tuple[int, ...]:
    """What a name stands for never changes, so each mask is read once."""
    return tuple(np.flatnonzero(counted(folder.get(name))[:IGNORE_INDEX]).tolist())


def _name_of(mask: Mask) -> str:
    height, width = _label_map(mask).shape
    digest = hashlib.sha256(f"{width} x {height}\n".encode())
    digest.update(np.ascontiguousarray(mask).tobytes())
    return f"{digest.hexdigest()}.png"
