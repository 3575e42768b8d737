"""Greys of more than 8 bits: cameras of 10, 12 and 14 bits, real numbers, and a range for all images of a source."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pickwell.data.grey_levels import EACH, Greys
from pickwell.data.pool import Pool
from pickwell.errors import PoolError, SettingsError
from pickwell.loop.creation import create
from pickwell.web.pictures import Pictures, Size

Encode = Callable[..., bytes]
RAMP = np.linspace(0, 1, 64 * 64).reshape(64, 64)


def ramp(bits: int, share: float = 1.0) -> np.ndarray:
    return np.asarray(np.round(RAMP * share * (2**bits - 1)), np.uint16)


def folder(root: Path, **images: bytes) -> Path:
    root.mkdir()
    for name, data in images.items():
        (root / name.replace("_", ".")).write_bytes(data)
    return root


@pytest.mark.parametrize("bits", [9, 10, 12, 14, 16])
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_a_ramp_of_so_many_bits_has_all_levels(bits: int, kind: str, tmp_path: Path, encode: Encode) -> None:
    where = folder(tmp_path / "x", a_img=b"", b_png=encode(ramp(bits), kind), c_png=encode(ramp(bits, 0.4), kind))
    pool = Pool.create(tmp_path / "pool", where)
    assert pool.sources[0].greys == Greys(0, 2**bits - 1)
    wanted = np.rint(ramp(bits) * (255 / (2**bits - 1)))
    assert np.array_equal(pool.scene(0)[..., 0], wanted)
    assert len(np.unique(pool.scene(0))) == 256
    assert pool.scene(1).max() == 102


def test_every_reader_shows_the_same_greys(tmp_path: Path, encode: Encode) -> None:
    where = folder(tmp_path / "x", a_png=encode(ramp(12), "PNG"))
    Pool.create(tmp_path / "pool", where)
    pool = Pool.open(tmp_path / "pool")
    scene = pool.scene(0)
    assert np.array_equal(pool.pixels(0), scene)
    assert np.array_equal(pool.view(0, 64), scene.transpose(2, 0, 1))
    assert np.array_equal(pool.square(0, 64), scene.transpose(2, 0, 1))
    page = Pictures(pool, 1024).get(0, Size.FULL)
    assert page.media == "image/png"
    assert page.data == encode(scene, "PNG", compress_level=1)


def test_the_range_is_said_and_may_be_set(tmp_path: Path, encode: Encode) -> None:
    where = folder(tmp_path / "x", a_png=encode(ramp(12), "PNG"), b_png=encode(ramp(12, 0.3), "PNG"))
    pool = Pool.create(tmp_path / "pool", where)
    assert str(pool.summary).endswith("2 are grey of more than 8 bits, shown from 0 to 4095")
    chosen = Pool.create(tmp_path / "chosen", where, greys=Greys.parse("1000:3000"))
    assert str(chosen.summary).endswith("shown from 1000 to 3000, beyond which 2 have values")
    assert chosen.scene(0).min() == 0
    assert chosen.scene(0)[32, 32, 0] == round((int(ramp(12)[32, 32]) - 1000) * 255 / 2000)


def test_images_added_later_are_shown_as_the_first_were(tmp_path: Path, encode: Encode) -> None:
    where = folder(tmp_path / "x", a_png=encode(ramp(12), "PNG"))
    pool = Pool.create(tmp_path / "pool", where)
    (where / "b.png").write_bytes(encode(ramp(14), "PNG"))
    assert "shown from 0 to 4095, beyond which 1 have values" in str(pool.add(where))
    assert pool.scene(1).max() == 255
    with pytest.raises(PoolError, match=r"are shown from 0 to 4095, not 0 to 16383, since its first images were"):
        pool.add(where, greys=Greys(0, 16383))
    other = folder(tmp_path / "y", c_png=encode(ramp(10), "PNG"))
    assert pool.add(other).greys == Greys(0, 1023)
    assert len(np.unique(Pool.open(tmp_path / "pool").scene(2))) == 256


def test_a_test_set_is_shown_as_the_pool_is(tmp_path: Path, encode: Encode) -> None:
    for part, bits in (("train", 12), ("test", 14)):
        for name in ("cat", "dog"):
            (tmp_path / part / name).mkdir(parents=True)
            (tmp_path / part / name / "1.png").write_bytes(encode(ramp(bits, 1 if name == "cat" else 0.9), "PNG"))
    settings = {"encoder": "none"}
    summary = create(
        tmp_path / "c", tmp_path / "train", test=tmp_path / "test", labels_from_folders=True, settings=settings
    )
    assert summary.greys == Greys(0, 16383)
    for folder_of in ("pool", "test"):
        assert Pool.open(tmp_path / "c" / folder_of).greys(0) == Greys(0, 16383)


def test_real_and_negative_greys_have_a_range_too(tmp_path: Path, encode: Encode) -> None:
    where = folder(tmp_path / "x", a_tif=encode((RAMP * 0.8).astype(np.float32), "TIFF"))
    assert Pool.create(tmp_path / "real", where).sources[0].greys == Greys(0, 1)
    (where / "b.tif").write_bytes(encode((RAMP * 1400 - 1000).astype(np.int32), "TIFF"))
    assert Pool.create(tmp_path / "signed", where).sources[0].greys == Greys(-1000, 400)


def test_pools_of_older_versions_show_each_image_as_before(tmp_path: Path, encode: Encode) -> None:
    where = folder(tmp_path / "x", a_png=encode(ramp(12), "PNG"))
    Pool.create(tmp_path / "pool", where)
    sources = tmp_path / "pool/sources.json"
    sources.write_text(sources.read_text().replace('"greys"', '"other"'))
    old = Pool.open(tmp_path / "pool")
    assert old.greys(0) == EACH
    assert old.scene(0).max() == 16
    (where / "b.png").write_bytes(encode(ramp(14), "PNG"))
    old.add(where)
    assert Pool.open(tmp_path / "pool").scene(0).max() == 16


@pytest.mark.parametrize("text", ["", "dark", "0", "5:1", "1:2:3", "nan", "0:inf"])
def test_a_range_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="give the value that is white"):
        Greys.parse(text)
