from collections.abc import Iterator
from pathlib import Path
from threading import Lock

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from pickwell.data import images as room
from pickwell.data.images import Images, to_float
from pickwell.data.pool import Pool
from pickwell.errors import PoolError, SettingsError

COUNT = 90
SIZE = 12


class Counted(Pool):
    """A pool that counts how often each image is decoded."""

    views: dict[int, int]
    lock = Lock()

    def view(self, item: int, size: int) -> NDArray[np.uint8]:
        with self.lock:
            self.views[item] = self.views.get(item, 0) + 1
        return super().view(item, size)


@pytest.fixture
def pool(tmp_path: Path) -> Counted:
    rng = np.random.default_rng(0)
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(COUNT):
        noise = rng.integers(0, 256, (14, 20, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / f"{number}.{'png' if number % 2 else 'jpg'}")
    made = Pool.create(tmp_path / "pool", folder)
    counted = Counted(made.directory, made.manifest, made.sources, made.limits)
    counted.views = {}
    return counted


def limit(count: int) -> int:
    return count * 3 * SIZE * SIZE


def test_both_modes_give_the_same_images(pool: Counted) -> None:
    kept, streamed = Images(pool, SIZE, limit(COUNT)), Images(pool, SIZE, limit(COUNT) - 1)
    assert (kept.in_memory, streamed.in_memory) == (True, False)
    ids = torch.tensor([5, 89, 0, 5, 40])
    expected = torch.stack([torch.from_numpy(pool.view(int(i), SIZE)) for i in ids])
    for images in (kept, streamed):
        assert torch.equal(images.get(ids), expected)
        assert images.get(ids).dtype == torch.uint8
        assert images.get(ids[:0]).shape == (0, 3, SIZE, SIZE)


@pytest.mark.parametrize("batch_size", [1, 7, 32, 90, 500])
def test_batches_hold_every_id_once_in_order(pool: Counted, batch_size: int) -> None:
    ids = torch.randperm(COUNT, generator=torch.Generator().manual_seed(0))
    expected = Images(pool, SIZE).get(ids)
    for memory in (limit(COUNT), 0):
        batches = list(Images(pool, SIZE, memory, threads=3).batches(ids, batch_size))
        assert [len(i) for i, _ in batches] == [len(part) for part in torch.split(ids, batch_size)]
        assert torch.equal(torch.cat([i for i, _ in batches]), ids)
        assert torch.equal(torch.cat([x for _, x in batches]), expected)
        assert list(Images(pool, SIZE, memory).batches(ids[:0], batch_size)) == []


def test_in_memory_each_image_is_decoded_once_and_when_needed(pool: Counted) -> None:
    told: list[tuple[str, int, int]] = []
    images = Images(pool, SIZE, progress=lambda *state: told.append(state))
    assert pool.views == {}
    images.get(torch.tensor([3, 4, 3]))
    assert pool.views == {3: 1, 4: 1}
    for _ in range(2):
        list(images.batches(torch.arange(COUNT), 32))
    assert pool.views == dict.fromkeys(range(COUNT), 1)
    assert told == [("decoding", 2, 2), ("decoding", COUNT - 2, COUNT - 2)]


def test_what_is_handed_out_is_the_callers_own(pool: Counted) -> None:
    images = Images(pool, SIZE)
    images.get(torch.arange(COUNT)).zero_()
    for _, x in images.batches(torch.arange(COUNT), 30):
        x.zero_()
    assert images.get(torch.arange(COUNT)).float().mean() > 100


def outstanding(batches: Iterator[tuple[torch.Tensor, torch.Tensor]], pool: Counted) -> int:
    """The most images that were ever decoded or being decoded beyond those of earlier, given-up batches."""
    most = given = 0
    for ids, _ in batches:
        most = max(most, sum(pool.views.values()) - given)
        given += len(ids)
    return most


def test_streaming_holds_few_batches(pool: Counted) -> None:
    images = Images(pool, SIZE, 0, threads=4)
    assert outstanding(images.batches(torch.arange(COUNT), 8), pool) <= (room.AHEAD + 1) * 8
    assert images._kept is None


def test_stopping_early_stops_the_decoding(pool: Counted) -> None:
    batches = Images(pool, SIZE, 0).batches(torch.arange(COUNT), 8)
    next(iter(batches))
    assert isinstance(batches, Iterator)
    del batches
    assert sum(pool.views.values()) <= 8 * (room.AHEAD + 1)


@pytest.mark.parametrize("memory", [limit(COUNT), 0])
def test_an_image_that_went_away_is_named(pool: Counted, memory: int, tmp_path: Path) -> None:
    file = tmp_path / "images" / "17.png"
    before = file.read_bytes()
    file.unlink()
    images = Images(pool, SIZE, memory)
    with pytest.raises(PoolError, match=r"the image '17.png' \(item 17\) can no longer be read: missing file"):
        images.get(torch.tensor([16, 17, 18]))
    with pytest.raises(PoolError, match=r"'17\.png'"):
        list(images.batches(torch.arange(COUNT), 16))
    assert len(images.get(torch.tensor([16, 18]))) == 2
    Image.new("RGB", (14, 20)).save(file)
    with pytest.raises(PoolError, match="another picture than when it was added"):
        images.get(torch.tensor([17]))
    file.write_bytes(before)
    assert len(images.get(torch.tensor([17]))) == 1


@pytest.mark.parametrize("memory", [limit(COUNT), 0])
@pytest.mark.parametrize("wrong", [COUNT, -1])
def test_unknown_items_are_told(pool: Counted, memory: int, wrong: int) -> None:
    images, ids = Images(pool, SIZE, memory), torch.tensor([0, wrong])
    for look in (images.get, lambda ids: list(images.batches(ids, 1))):
        with pytest.raises(PoolError, match=f"unknown item {wrong}; the pool holds items 0 to {COUNT - 1}"):
            look(ids)
    assert pool.views == {}


def test_an_impossible_size_is_told(pool: Counted) -> None:
    with pytest.raises(SettingsError, match="image size 0 is too small"):
        Images(pool, 0)


def test_to_float_spans_zero_to_one() -> None:
    images = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16).expand(2, 3, 16, 16)
    floats = to_float(images)
    assert (floats.dtype, floats.min().item(), floats.max().item()) == (torch.float32, 0.0, 1.0)
    assert torch.equal((floats * 255).round().to(torch.uint8), images)
