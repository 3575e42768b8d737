"""Crops of scenes and masks of many sizes, and whole scenes in squares."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor

from pickwell import models, tasks
from pickwell.config import TaskSettings
from pickwell.errors import SettingsError
from pickwell.learner import Batch, Devices
from pickwell.learner.checkpoints import Checkpoint
from pickwell.learner.generators import generator
from pickwell.learner.task_learning import learning_of
from pickwell.learner.training import Plan, Trainer, train
from pickwell.tasks.segmentation.crops import SceneDraws, drawn, gathered, labels, resize
from pickwell.tasks.segmentation.mask_targets import MaskTargets

SIZES = [(24, 40), (40, 24), (24, 40), (10, 50), (9, 12)]
"""Height and width of scene 0, 1, ..., and so on round."""


def mask_of(item: int) -> Tensor:
    """Says of each pixel which it is: 0 to 199 along its row, and 2 on every fifth row."""
    height, width = SIZES[item % len(SIZES)]
    mask = torch.arange(width, dtype=torch.uint8).repeat(height, 1)
    mask[::5] = 2
    return mask


class Labelled:
    """Scenes whose red is their mask, whose green is their row and whose blue is their id."""

    def read(self, ids: Tensor) -> list[Tensor]:
        found = []
        for item in ids.tolist():
            mask = mask_of(item)
            rows = torch.arange(len(mask), dtype=torch.uint8)[:, None].expand_as(mask)
            found.append(torch.stack((mask, rows, torch.full_like(mask, item))))
        return found

    def resized(self, ids: Tensor, size: int) -> Tensor:
        return torch.stack([gathered(scene, resize(scene[0], size)) for scene in self.read(ids)])


def draws(augmentation: str = "crop-flip", seed: int = 0, crop: int = 16, count: int = 5) -> SceneDraws:
    ids = torch.arange(count)
    masks = MaskTargets(ids.tolist(), lambda item: mask_of(item).numpy())
    return SceneDraws(Labelled(), ids, masks, ids + 100, 10, augmentation, seed, Devices("fp32"), crop=crop, whole=12)


def bytes_of(images: Tensor) -> Tensor:
    return (images * 255).round().long()


def test_image_and_mask_share_crop_and_mirroring() -> None:
    batch = draws().draw(3)
    assert batch.x_l.shape == (10, 3, 16, 16)
    assert batch.y_l.dtype == torch.int64
    inside = batch.y_l != 255
    assert torch.equal(bytes_of(batch.x_l)[:, 0][inside], batch.y_l[inside])
    assert len(batch.x_u) == 0


def test_what_lies_beyond_a_small_scene_is_ignored_and_continues_its_edge() -> None:
    """Scene 4 is 9 high and 12 wide: in a crop of 16 x 16 that many pixels count, in one block, wherever it lies."""
    starts = set()
    for step in range(12):
        batch = draws().draw(step)
        for image, mask in zip(bytes_of(batch.x_l), batch.y_l, strict=True):
            if image[2, 0, 0] == 4:
                rows, columns = (mask != 255).nonzero().unbind(1)
                assert len(rows) == 9 * 12
                top, left = int(rows.min()), int(columns.min())
                starts.add((top, left))
                assert (int(rows.max()) - top, int(columns.max()) - left) == (8, 11)
                assert bool((image[1, : top + 1] == 0).all())
                assert bool((image[1, top + 8 :] == 8).all())
    assert len(starts) > 5
    assert {top for top, _ in starts} <= set(range(8))


def test_crops_lie_everywhere_and_are_mirrored_half_of_the_time() -> None:
    chance = generator(1, "windows")
    windows = drawn([torch.Size((20, 30))] * 2000, 16, "crop-flip", chance)
    tops = [int(window.rows[0]) for window in windows]
    lefts = [int(window.columns.min()) for window in windows]
    assert set(tops) == set(range(5))
    assert set(lefts) == set(range(15))
    assert all(350 < tops.count(top) < 450 for top in range(5))
    mirrored = sum(bool(window.columns[0] > window.columns[1]) for window in windows)
    assert 900 < mirrored < 1100
    assert not any(bool(w.columns[0] > w.columns[1]) for w in drawn([torch.Size((20, 30))] * 50, 16, "crop", chance))


def test_without_augmentation_the_middle_is_taken() -> None:
    (window,) = drawn([torch.Size((20, 31))], 16, "none", generator(0))
    assert window.rows.tolist() == list(range(2, 18))
    assert window.columns.tolist() == list(range(7, 23))
    mask = torch.arange(6, dtype=torch.uint8).view(2, 3)
    (window,) = drawn([torch.Size((2, 3))], 4, "none", generator(0))
    assert labels(mask, window).tolist() == [[255] * 4, [0, 1, 2, 255], [3, 4, 5, 255], [255] * 4]
    assert gathered(mask, window).tolist() == [[0, 1, 2, 2], [0, 1, 2, 2], [3, 4, 5, 5], [3, 4, 5, 5]]


def test_an_unknown_augmentation_is_one_sentence() -> None:
    with pytest.raises(SettingsError, match="unknown augmentation of masks 'rotate'"):
        draws("rotate").draw(0)


def test_an_auxiliary_model_sees_whole_scenes_in_squares_with_their_masks() -> None:
    batch = draws().draw(3, both=True)
    assert batch.x_l.shape == batch.x_u.shape == (10, 3, 12, 12)
    assert torch.equal(bytes_of(batch.x_l)[:, 0], batch.y_l)
    for image in bytes_of(draws("crop").draw(3, both=True).x_l):
        height, width = SIZES[int(image[2, 0, 0])]
        assert image[1, :, 0].tolist() == [(2 * at + 1) * height // 24 for at in range(12)]
        assert len(set(image[0, 1].tolist())) in (1, min(12, width))
    orders = {bool(row[0] > row[-1]) for row in bytes_of(batch.x_l)[:, 0, 1]}
    assert orders == {True, False}
    assert set(bytes_of(batch.x_u)[:, 2].flatten().tolist()) <= set(range(100, 105))


@pytest.mark.parametrize("both", [False, True])
def test_a_batch_is_a_function_of_its_step(both: bool) -> None:
    one, other = draws(), draws()
    for step in (5, 0, 5):
        torch.rand(step)
        first, second = one.draw(step, both=both), other.draw(step, both=both)
        for left, right in zip((first.x_l, first.y_l, first.x_u), (second.x_l, second.y_l, second.x_u), strict=True):
            assert torch.equal(left, right)
    assert not torch.equal(one.draw(5).x_l, draws(seed=1).draw(5).x_l)
    assert not torch.equal(one.draw(5).x_l, one.draw(5, member=1).x_l)


class Halves:
    """Scenes that are dark on the left and bright on the right, the border somewhere; masks say which."""

    def read(self, ids: Tensor) -> list[Tensor]:
        return [(60 + 120 * mask + self.noise(item, mask)).expand(3, -1, -1).byte() for item, mask in self.masks(ids)]

    def masks(self, ids: Tensor) -> list[tuple[int, Tensor]]:
        found = []
        for item in ids.tolist():
            height, width = ((48, 80), (64, 48))[item % 2]
            border = width // 4 + item % (width // 2)
            found.append((item, (torch.arange(width) >= border).long().repeat(height, 1)))
        return found

    def noise(self, item: int, mask: Tensor) -> Tensor:
        return torch.randint(-50, 50, mask.shape, generator=generator(item, "noise"))

    def resized(self, ids: Tensor, size: int) -> Tensor:
        return torch.stack([gathered(scene, resize(scene[0], size)) for scene in self.read(ids)])


class Resting:
    joint_steps = 0

    def begin(self, devices: Devices, sample: Batch) -> None: ...

    def train_step(self, batch: Batch, draw: Callable[[], Batch]) -> Mapping[str, float]:
        return {}

    def state(self) -> dict[str, Tensor]:
        return {}

    def load_state(self, state: Mapping[str, Tensor]) -> None: ...


def training(steps: int, crop: int = 16) -> tuple[Trainer, SceneDraws, Plan]:
    devices, scenes, ids = Devices("fp32"), Halves(), torch.arange(12)
    masks = MaskTargets(ids.tolist(), lambda item: scenes.masks(torch.tensor([item]))[0][1].byte().numpy())
    task = learning_of(
        tasks.named("segmentation")(TaskSettings(kind="segmentation", classes=("dark", "bright")), Path())
    )
    plan = Plan(steps, 3e-3, 0.0, "cosine", seed=4)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network = devices.setup(models.load_dense("drn_d_22", 2, width=0.125))
    source = SceneDraws(scenes, ids, masks, ids + 50, 4, "crop-flip", 4, devices, crop=crop, whole=16)
    return Trainer(network, task, plan, devices), source, plan


@pytest.mark.slow
def test_masks_are_learnt() -> None:
    trainer, source, plan = training(80, crop=48)
    train([trainer], Resting(), source, plan)
    unseen = torch.arange(100, 108)
    pairs = []
    with torch.inference_mode():
        for scene, (_, mask) in zip(Halves().read(unseen), Halves().masks(unseen), strict=True):
            pairs.append((trainer.network(scene[None].float() / 255), mask[None]))
    assert trainer.task.measure(pairs)["mean_iou"] > 0.75


class KilledError(Exception):
    pass


def test_a_killed_fit_of_masks_ends_the_same(tmp_path: Path) -> None:
    whole, source, plan = training(4)
    train([whole], Resting(), source, plan)

    def die(what: str, done: int, total: int) -> None:
        if done == 2:
            raise KilledError

    killed, source, plan = training(4)
    checkpoint = Checkpoint(tmp_path / "c.safetensors", "key", seconds=0)
    with pytest.raises(KilledError):
        train([killed], Resting(), source, plan, checkpoint=checkpoint, progress=die)
    resumed, source, plan = training(4)
    train([resumed], Resting(), source, plan, checkpoint=checkpoint)
    states = whole.network.state_dict(), resumed.network.state_dict()
    assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())
