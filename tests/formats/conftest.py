from pathlib import Path

import pytest
from PIL import Image

from pickwell.data.pool import Pool
from pickwell.testing.formats import Bench

SIZES = {"train/a.jpg": (9, 6), "train/b c.png": (4, 4), "val/déjà.png": (1, 1), "val/sub/a.jpg": (16, 3)}


@pytest.fixture(scope="session")
def four_images(tmp_path_factory: pytest.TempPathFactory) -> Pool:
    root = tmp_path_factory.mktemp("formats")
    for name, size in SIZES.items():
        (root / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size, (9, 9, 9)).save(root / "images" / name)
    return Pool.create(root / "pool", root / "images")


@pytest.fixture
def bench(four_images: Pool, tmp_path: Path) -> Bench:
    return Bench(four_images, tmp_path)
