"""On the real CamVid, where PICKWELL_DATA has it."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pickwell.data.layouts import CAMVID, layout
from pickwell.data.mask_files import MaskFiles
from pickwell.data.pool import Pool
from pickwell.tasks.segmentation.scenes import Scenes

DATA = os.environ.get("PICKWELL_DATA")
ROOT = Path(DATA or "nowhere") / "camvid"
pytestmark = pytest.mark.skipif(not ROOT.is_dir(), reason="no CamVid: PICKWELL_DATA names no folder that holds camvid")

PIXELS = [10682767, 14750079, 623349, 20076880, 2845085, 6166762, 743859, 714595, 3719877, 405385, 184967]
"""How many pixels of the 367 training masks are of each class; counted from the files alone."""


def test_the_training_scenes(tmp_path: Path) -> None:
    found = layout(ROOT, None, "train")
    assert found.camvid
    assert found.masks is not None
    pool = Pool.create(tmp_path / "pool", found.images, masks=MaskFiles(Path(found.masks), len(CAMVID), (11,)))
    assert str(pool.summary) == "367 images added, 367 of them with a mask, 367 in the pool"
    counts = sum(np.bincount(pool.mask(item).ravel(), minlength=256) for item in range(367))
    assert np.asarray(counts)[:11].tolist() == PIXELS
    assert np.asarray(counts)[255] == 2503995
    assert pool.item(0).name == "0001TP_006690.jpg"
    batches = [images.shape for _, images in Scenes(pool, 0).batches(torch.arange(10), 4 * 480 * 360)]
    assert batches == [(4, 3, 360, 480), (4, 3, 360, 480), (2, 3, 360, 480)]


def test_spoilt_masks(tmp_path: Path) -> None:
    masks = tmp_path / "valannot"
    shutil.copytree(ROOT / "valannot", masks)
    cut, cropped, strange, coloured, *_ = sorted(masks.iterdir())
    cut.write_bytes(cut.read_bytes()[:500])
    Image.open(cropped).crop((0, 0, 480, 359)).save(cropped)
    values = np.array(Image.open(strange))
    values[100, 100:140] = 37
    Image.fromarray(values).save(strange)
    Image.open(coloured).convert("RGB").save(coloured)
    pool = Pool.create(tmp_path / "pool", ROOT / "val", masks=MaskFiles(masks, len(CAMVID), (11,)))
    assert pool.summary is not None
    assert (pool.summary.added, pool.summary.masks) == (97, 97)
    said = [f"{Path(name).stem}.png {reason}: {detail.partition(';')[0]}" for name, reason, detail in pool.set_aside()]
    assert said == [
        f"{cut.name} unreadable mask: the mask is a damaged PNG (image file is truncated)",
        f"{cropped.name} mask of another size: the mask is 480 x 359 pixels, its image 480 x 360",
        f"{strange.name} mask with values outside the class list: the mask has the values 37 (40 pixels)",
        f"{coloured.name} unreadable mask: the mask is RGB",
    ]
