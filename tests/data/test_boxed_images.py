"""Photographs of telephones: AVIF as Pillow has it, HEIC with its extra, and counted where it is not there."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, features

from pickwell.data.decode import decode, examine
from pickwell.data.image_errors import ImageError
from pickwell.data.pool import Pool

Encode = Callable[..., bytes]
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(40)


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow reads no AVIF")
@pytest.mark.parametrize("turn", [1, 6])
def test_avif_is_read_upright(scene: Image.Image, encode: Encode, turn: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = turn
    data = encode(scene, "AVIF", quality=100, subsampling="4:4:4", exif=exif)
    seen = np.rot90(np.asarray(scene), -1) if turn == 6 else np.asarray(scene)
    assert examine(data).size == seen.shape[1::-1]
    assert np.abs(decode(data).astype(int) - seen).mean() < 2


def test_heic_is_read_with_its_extra(scene: Image.Image, encode: Encode) -> None:
    pytest.importorskip("pillow_heif").register_heif_opener()
    data = encode(scene, "HEIF", quality=90)
    assert examine(data).size == scene.size
    assert np.abs(decode(data).astype(int) - np.asarray(scene)).mean() < 4


def test_heic_without_its_extra_is_counted_and_read_once_it_is_there(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    for name in ("IMG_1.HEIC", "IMG_2.heic", "IMG_3.jpg"):
        (photos / name).write_bytes(HEIC)
    pool = Pool.create(tmp_path / "pool", photos)
    assert pool.summary is not None
    assert pool.summary.reasons == {"HEIC": 3}
    assert pool.set_aside()[0] == ("IMG_1.HEIC", "HEIC", "pip install 'pickwell[heif]', then add the images again")


def test_what_only_looks_like_a_box_is_no_image() -> None:
    with pytest.raises(ImageError, match="not an image: it begins with"):
        decode(b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(40))
