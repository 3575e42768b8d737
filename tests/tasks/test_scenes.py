import io
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pickwell.data.decode import decode
from pickwell.data.pool import Pool
from pickwell.errors import PoolError, SettingsError
from pickwell.tasks.segmentation.scenes import Scenes

SIZES = [(40, 24), (40, 24), (24, 40), (40, 24), (40, 24), (40, 24), (1, 1)]


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Pool:
    root = tmp_path_factory.mktemp("scenes")
    (root / "images").mkdir()
    rng = np.random.default_rng(0)
    for number, (width, height) in enumerate(SIZES):
        drawn = Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))
        drawn.save(root / "images" / f"{number}.{'png' if number % 2 else 'jpg'}")
    return Pool.create(root / "pool", root / "images")


LIMITS = [1 << 20, 0]


@pytest.mark.parametrize("limit", LIMITS, ids=["in memory", "streaming"])
def test_images_come_at_their_own_size(pool: Pool, limit: int) -> None:
    scenes = Scenes(pool, limit, threads=2)
    assert scenes.in_memory == bool(limit)
    order = [6, 2, 2, 0, 5]
    for item, image in zip(order, scenes.read(torch.tensor(order)), strict=True):
        assert image.shape == (3, SIZES[item][1], SIZES[item][0])
        assert np.array_equal(image.numpy(), decode(pool.bytes(item)).transpose(2, 0, 1))
    assert scenes.read(torch.tensor([], dtype=torch.int64)) == []


@pytest.mark.parametrize("limit", LIMITS, ids=["in memory", "streaming"])
def test_batches_are_runs_of_one_size_within_the_pixels(pool: Pool, limit: int) -> None:
    scenes = Scenes(pool, limit, threads=2)

    def runs(ids: list[int], pixels: int) -> list[list[int]]:
        found = []
        for part, images in scenes.batches(torch.tensor(ids, dtype=torch.int64), pixels):
            assert all(torch.equal(a, b) for a, b in zip(images, scenes.read(part), strict=True))
            found.append(part.tolist())
        return found

    assert runs([0, 1, 2, 3, 4, 5, 6], 2 * 960) == [[0, 1], [2], [3, 4], [5], [6]]
    assert runs([0, 1, 2, 3, 4, 5, 6], 10**9) == [[0, 1], [2], [3, 4, 5], [6]]
    assert runs([5, 0, 0, 6], 1) == [[5], [0], [0], [6]]
    assert runs([], 100) == []


@pytest.mark.parametrize("limit", [1 << 20, 3 * sum(w * h for w, h in SIZES) + 10, 7 * 3 * 64 + 3, 0])
def test_squares_show_the_whole_image_whatever_is_kept(pool: Pool, limit: int) -> None:
    scenes = Scenes(pool, limit, threads=2)
    for size in (8, 8, 20):
        squares = scenes.resized(torch.tensor([2, 6, 0, 2]), size)
        assert squares.shape == (4, 3, size, size)
        assert torch.equal(squares[0], squares[3])
        for item, found in zip([2, 6, 0], squares, strict=False):
            with Image.open(io.BytesIO(pool.bytes(item))) as image:
                wanted = image.convert("RGB").resize((size, size), Image.Resampling.BOX)
            # Noise, so that only the mean over the whole image is sure to be the same.
            assert abs(float(found.float().mean()) - float(np.asarray(wanted).mean())) < 6
    assert scenes.resized(torch.tensor([], dtype=torch.int64), 8).shape == (0, 3, 8, 8)
    assert sum(map(len, scenes._squares.values())) * 3 * 64 <= limit


def test_decoding_happens_once_in_memory(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    plain = Pool.bytes

    def counted(self: Pool, item: int) -> bytes:
        read.append(item)
        return plain(self, item)

    monkeypatch.setattr(Pool, "bytes", counted)
    told: list[tuple[str, int, int]] = []
    scenes = Scenes(pool, 1 << 20, threads=2, progress=lambda *state: told.append(state))
    for _ in range(2):
        scenes.read(torch.tensor([3, 1]))
        list(scenes.batches(torch.tensor([1, 2, 3]), 1000))
    assert sorted(read) == [1, 2, 3]
    assert told == [("decoding", 2, 2), ("decoding", 1, 1)]


def test_odd_requests_are_named(pool: Pool) -> None:
    scenes = Scenes(pool)
    with pytest.raises(PoolError, match="unknown item 7; the pool holds items 0 to 6"):
        scenes.read(torch.tensor([0, 7]))
    with pytest.raises(PoolError, match="unknown item -1"):
        list(scenes.batches(torch.tensor([-1]), 100))
    with pytest.raises(SettingsError, match="image size 0 is too small"):
        scenes.resized(torch.tensor([0]), 0)


@pytest.mark.parametrize("limit", LIMITS, ids=["in memory", "streaming"])
def test_a_file_that_changed_is_named(tmp_path: Path, limit: int) -> None:
    (tmp_path / "images").mkdir()
    for name in "ab":
        Image.new("RGB", (9, 7)).save(tmp_path / "images" / f"{name}.png")
    scenes = Scenes(Pool.create(tmp_path / "pool", tmp_path / "images", apart=True), limit)
    Image.new("RGB", (7, 9)).save(tmp_path / "images" / "b.png")
    with pytest.raises(PoolError, match=re.escape("'b.png' (item 1) can no longer be read: it was 9 x 7 pixels and")):
        scenes.read(torch.tensor([0, 1]))
    (tmp_path / "images" / "b.png").unlink()
    with pytest.raises(PoolError, match="missing file"):
        scenes.resized(torch.tensor([1]), 4)


def test_an_image_of_one_pixel_is_an_array_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    Image.new("RGB", (1, 1), (1, 2, 3)).save(tmp_path / "images" / "dot.png")
    # Warnings are errors here: torch warns of an array that it may not write to.
    (dot,) = Scenes(Pool.create(tmp_path / "pool", tmp_path / "images")).read(torch.tensor([0]))
    assert dot.flatten().tolist() == [1, 2, 3]
