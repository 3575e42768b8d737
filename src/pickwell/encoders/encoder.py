"""What every encoder can do, and what is told of one before it is loaded."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pickwell.data.threads import workers
from pickwell.errors import EncoderError

Pixels = NDArray[np.uint8]
Rows = NDArray[np.float32]

TOGETHER = 256
"""How many images `encode` holds prepared at once: 40 MB at 224 pixels a side."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What can be said of an encoder without loading it."""

    name: str
    """What it is chosen by; what is written large in it stands for a file or a name."""
    what: str
    size: int | None
    """Bytes of its weights; None where that depends on the file or the name."""
    licence: str
    length: int | None
    """How many numbers a vector has; None where that depends on the file or the name."""
    there: bool
    """Whether it can be loaded as things are; of a library's encoders, whether the library is installed."""
    command: str
    """The command that brings it."""


@dataclass(frozen=True, slots=True)
class Weights:
    """What an encoder has learnt, for a task network of ours to begin with."""

    network: str
    """The name of the network, as `models` knows it."""
    path: Path


@dataclass(frozen=True, slots=True)
class Graph:
    """An encoder as an ONNX file's bytes, for programs without pickwell; its `output` is a vector an image.

    `entrance` says how images enter: `size`, `crop`, `interpolation`, `layout`, `type`, and `range`, `mean` and `std`,
    where the graph does not scale them itself.
    """

    model: bytes
    output: str
    entrance: Mapping[str, Any]


class Encoder(ABC):
    """A frozen network that makes a vector of an upright image. What it makes of one hangs on that image alone."""

    name: str
    """What it is chosen by: "lite0", "onnx:encoder.onnx"."""
    length: int
    """How many numbers a vector has, D."""
    least: int
    """No short side need be decoded larger than this: `data.decode.decode(data, least)`."""
    identity: str
    """A hexadecimal digest of all that can change a vector beyond rounding: weights, preprocessing, precision."""
    licence: str
    """The licence of its weights."""

    @abstractmethod
    def prepare(self, pixels: Pixels) -> NDArray[Any]:
        """What the network sees of an upright image, RGB `(H, W, 3)` in 0..255. Any thread may call it."""

    @abstractmethod
    def vectors(self, prepared: NDArray[Any]) -> Rows:
        """The vectors `(B, D)` of prepared images `(B, ...)`, each the same bit by bit whatever the others are.

        Raises EncoderError for one that is not finite.
        """

    def graph(self) -> Graph:
        """The encoder as an ONNX graph. Raises EncoderError where it is none."""
        raise EncoderError(f"{self.name} is no ONNX graph; export it with its own library, and name it as onnx:FILE")

    def encode(self, images: Sequence[Pixels]) -> Rows:
        """The vectors `(B, D)` of upright images, RGB uint8 `(H, W, 3)` of any size. Raises EncoderError."""
        for place, pixels in enumerate(images):
            _check(pixels, place)
        found = np.empty((len(images), self.length), np.float32)
        with workers(None) as pool:
            for start in range(0, len(images), TOGETHER):
                prepared = np.stack(list(pool.map(self.prepare, images[start : start + TOGETHER])))
                found[start : start + TOGETHER] = self.vectors(prepared)
        return found


def digest(*parts: object) -> str:
    """One hexadecimal digest of what an encoder is made of, in order."""
    return sha256("\n".join(map(str, parts)).encode()).hexdigest()


def _check(pixels: object, place: int) -> None:
    if not isinstance(pixels, np.ndarray):
        raise EncoderError(
            f"image {place} is a {type(pixels).__name__}; encoders take upright RGB arrays, uint8 (H, W, 3): "
            "pickwell.data.decode.decode makes one of a file's bytes"
        )
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        raise EncoderError(
            f"image {place} is {pixels.dtype} of shape {pixels.shape}; encoders take upright RGB, uint8 (H, W, 3) with "
            "values of 0 to 255: turn it into that"
        )
