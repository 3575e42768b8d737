"""What an encoder is: an image in, a vector out."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pickwell.errors import EncoderError

Pixels = NDArray[np.uint8]
Vectors = NDArray[np.float32]


class Known(NamedTuple):
    """What is to be said of an encoder that a source can load."""

    name: str
    what: str
    length: int | None
    """How many numbers a vector has; None where that is the file's or the model's."""
    megabytes: float | None
    licence: str
    there: bool
    """Whether it can be loaded as it is."""
    command: str
    """What brings it."""


class Encoder(ABC):
    """Looks at upright RGB images, `(H, W, 3)` uint8, with weights that never change.

    What it says of an image depends on no other one, bit by bit. Several threads may call it at once.
    """

    name: str
    """What `campaign.toml` says: "lite0", "onnx:FILE"."""
    length: int
    """How many numbers a vector has."""
    least: int
    """The side below which an image need not be decoded: larger ones may come smaller, but with no side below it."""
    identity: str
    """A hash of all that can change a vector: weights, network, preprocessing."""
    licence: str = "not known"
    together: int = 1
    """How many images are looked at in one call with the most profit; 1: threads look at one each."""

    @abstractmethod
    def prepare(self, pixels: Pixels) -> NDArray[Any]:
        """An image as the network sees it, all of one shape."""

    @abstractmethod
    def vectors(self, prepared: NDArray[Any]) -> Vectors:
        """The vectors `(B, D)` of prepared images `(B, ...)`."""

    def encode(self, images: Sequence[Pixels]) -> Vectors:
        """The vectors `(B, D)` of images `(H, W, 3)`, RGB uint8 and upright, of any sizes."""
        for place, image in enumerate(images):
            if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
                raise EncoderError(
                    f"image {place} is {image.dtype} of shape {image.shape}; an encoder takes RGB images, uint8 of "
                    "shape (height, width, 3)"
                )
        parts = [self.vectors(self.prepare(image)[None]) for image in images]
        return checked(self, np.concatenate(parts)) if parts else np.empty((0, self.length), np.float32)


def checked(encoder: Encoder, vectors: Vectors) -> Vectors:
    """The vectors; EncoderError where they are of another length than the encoder's, or hold what is no number."""
    if vectors.ndim != 2 or vectors.shape[1] != encoder.length:
        raise EncoderError(
            f"encoder '{encoder.name}' gave vectors of shape {vectors.shape}, {encoder.length} numbers an image are "
            "expected; its file has changed, or its output is another: name the right output"
        )
    if not np.isfinite(vectors).all():
        raise EncoderError(
            f"encoder '{encoder.name}' gave a vector with a number that is none (NaN or infinite); its weights or its "
            "preprocessing (mean, std, range) are wrong"
        )
    return vectors
