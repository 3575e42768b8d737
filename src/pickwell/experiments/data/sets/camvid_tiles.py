"""CamVid's street scenes cut to tiles: a set of small photographs that no setting of ours was chosen on."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.nn import functional

from pickwell.experiments.data.sets import street_scenes
from pickwell.experiments.data.sets.layout import Layout, Part, write_images
from pickwell.learner.generators import generator

TILE, SIDE = 36, 32
"""Pixels a side of a tile in the scene, and as it is drawn."""
MOST = 1000
"""Tiles of a class at most."""
SURFACES = {"sky": 0, "building": 1, "road": 3, "pavement": 4, "tree": 5, "fence": 7, "car": 8}
"""The classes of CamVid that fill most of a tile often enough, as its masks number them."""


def find(name: str, data: Path, into: Path) -> Layout:
    """Tiles of the class that fills more than half of each, as Parquet in `into`; the test scenes give the test set."""
    scenes = street_scenes.find("camvid", data, into).train.images.parent
    paths = into / "train.parquet", into / "test.parquet"
    for path, parts in zip(paths, (("train", "val"), ("test",)), strict=True):
        pixels, labels = _tiles(scenes, parts)
        write_images(path, list(pixels), labels)
    return Layout(Part(paths[0]), Part(paths[1]))


def _tiles(scenes: Path, parts: Sequence[str]) -> tuple[NDArray[np.uint8], list[str]]:
    """Tiles `(N, SIDE, SIDE, 3)` class by class, drawn by chance where there are more than MOST, and their classes."""
    pixels, shares = [], []
    for scene in (path for part in parts for path in sorted((scenes / part).glob("*"))):
        annotated = scenes / f"{scene.parent.name}annot" / f"{scene.stem}.png"
        pixels.append(_squares(np.asarray(Image.open(scene).convert("RGB"))))
        codes = _squares(np.asarray(Image.open(annotated)))
        shares.append(np.stack([(codes == code).mean((1, 2)) for code in SURFACES.values()], 1))
    share = torch.from_numpy(np.concatenate(shares))
    full = [(share[:, number] > 0.5).nonzero().squeeze(1) for number in range(len(SURFACES))]
    kept = [rows[torch.randperm(len(rows), generator=generator(0, "tiles"))[:MOST]] for rows in full]
    found = torch.from_numpy(np.concatenate(pixels)).permute(0, 3, 1, 2)[torch.cat(kept)]
    small = functional.interpolate(found.float(), size=SIDE, mode="bilinear", antialias=True).round().byte()
    return small.permute(0, 2, 3, 1).numpy(), [name for name, rows in zip(SURFACES, kept, strict=True) for _ in rows]


def _squares(scene: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`(H, W, ...)` as whole tiles `(N, TILE, TILE, ...)`."""
    rows, columns = scene.shape[0] // TILE, scene.shape[1] // TILE
    cut = scene[: rows * TILE, : columns * TILE].reshape(rows, TILE, columns, TILE, *scene.shape[2:])
    return cut.swapaxes(1, 2).reshape(rows * columns, TILE, TILE, *scene.shape[2:])


SETS = {"camvid-tiles": find}
