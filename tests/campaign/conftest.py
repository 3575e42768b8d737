"""A campaign of small images, made without torch."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pickwell.campaign.directory import Directory
from pickwell.config import Settings
from pickwell.data.pool import Pool
from pickwell.items import Pick
from pickwell.store import Store

WIDTH, HEIGHT = 12, 8
Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Makes a campaign of six images, of which the first four are asked for."""

    def make(kind: str = "classification", **settings: Any) -> Path:
        images, directory = tmp_path / "images", Directory(tmp_path / "campaign")
        images.mkdir()
        rng = np.random.default_rng(0)
        for number in range(6):
            pixels = rng.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(images / f"{number}.png")
        directory.root.mkdir()
        Pool.create(directory.pool, images)
        values = {"name": "streets", "task": {"kind": kind, "classes": ["road", "sky", "tree"]}}
        chosen = Settings.parse(values).changed(settings)
        directory.settings.write_text(chosen.toml(), encoding="utf-8")
        with Store.open(directory.url(chosen), create=True) as store:
            store.create_campaign(name=chosen.name, seed=0, settings=chosen.dump(), versions={})
            picks = [Pick(item, item + 1, 1 - item / 10) for item in range(4)]
            store.open_round(number=1, strategy="random", seed=0, picks=picks)
        return directory.root

    return make
