"""Pictures of every kind, made where they are needed."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

Encode = Callable[..., bytes]


@pytest.fixture
def scene() -> Image.Image:
    """40 x 24, red falling to the right, green falling downwards: no two orientations of it look alike."""
    y, x = np.mgrid[0:24, 0:40]
    pixels = np.stack([250 - 6 * x, 250 - 10 * y, (x + y) * 2], axis=-1)
    return Image.fromarray(pixels.astype(np.uint8))


@pytest.fixture
def encode() -> Encode:
    """The bytes of an image in a format, with whatever settings Pillow has for it."""

    def encoded(image: Image.Image | NDArray[Any], kind: str, **settings: Any) -> bytes:
        drawn = image if isinstance(image, Image.Image) else Image.fromarray(image)
        out = io.BytesIO()
        drawn.save(out, kind, **settings)
        return out.getvalue()

    return encoded


@pytest.fixture
def photos(tmp_path: Path, scene: Image.Image) -> Path:
    """A folder of six photographs in two folders of classes, each of another brightness."""
    root = tmp_path / "photos"
    for number in range(6):
        folder = root / ("cat" if number < 4 else "dog")
        folder.mkdir(parents=True, exist_ok=True)
        scene.point(lambda v, n=number: v // (n + 1)).save(folder / f"{number + 7}.jpg", quality=95)
    return root
