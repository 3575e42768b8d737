"""What strategies see of a pool: its images as they are, in order of id, the same every time."""

import pytest
import torch

from pickwell.data import images as images_module
from pickwell.data.images import Images
from pickwell.loop.campaign import Campaign
from pickwell.loop.pool_view import PoolStream
from pickwell.strategies import Stream
from pickwell.tasks.segmentation import scenes as scenes_module
from pickwell.tasks.segmentation.scenes import Scenes


def seen(found: Stream) -> tuple[list[int], torch.Tensor]:
    parts = list(found.batches())
    return torch.cat([ids for ids, _ in parts]).tolist(), torch.cat([images for _, images in parts])


@pytest.mark.parametrize("scenes", [False, True])
def test_nothing_is_mirrored_moved_or_shuffled_while_scoring(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch, scenes: bool
) -> None:
    """Trap: the training's shuffling and random flips while scoring."""
    for room in (images_module, scenes_module):
        monkeypatch.setattr(room, "PIXELS_A_PASS", 8 * 64)  # several batches
    images: Images | Scenes = Scenes(campaign.pool) if scenes else Images(campaign.pool, 8)
    wanted = [3, 5, 17, *range(100, 130), 900, 1700]
    found = PoolStream(images, torch.tensor(wanted), campaign.devices)
    ids, pixels = seen(found)
    assert ids == found.ids().tolist() == wanted
    one = campaign.pool.scene if scenes else (lambda item: campaign.pool.view(item, 8).transpose(1, 2, 0))
    exact = torch.stack([torch.from_numpy(one(item).copy()).permute(2, 0, 1) for item in wanted])
    torch.testing.assert_close(pixels, exact / 255)
    assert torch.equal(seen(found)[1], pixels)
    assert not torch.equal(pixels.flip(3), pixels)  # a mirrored digit would show


@pytest.mark.parametrize("side", [8, 12])
def test_scenes_seen_whole_are_squares_of_the_working_size(campaign: Campaign, side: int) -> None:
    wanted = [0, 4, 8]
    ids, pixels = seen(PoolStream(Scenes(campaign.pool), torch.tensor(wanted), campaign.devices).whole(side))
    assert ids == wanted
    exact = torch.stack([torch.from_numpy(campaign.pool.square(item, side).copy()) for item in wanted])
    torch.testing.assert_close(pixels, exact / 255)
