"""Members of a bootstrapped committee learn from draws with replacement of their own."""

import torch

from pickwell.learner import Devices, Draws
from pickwell.strategies import create


class Ids:
    """Images whose only value is the item's id."""

    def get(self, ids: torch.Tensor) -> torch.Tensor:
        return ids.to(torch.uint8)[:, None, None, None].expand(-1, 3, 8, 8).contiguous()


def draws(count: int = 60, *, bootstrap: bool) -> Draws:
    ids = torch.arange(count)
    return Draws(Ids(), ids, ids, ids + 100, count, "none", 5, Devices("fp32"), bootstrap)


def epoch(member: int, *, bootstrap: bool, step: int = 0, both: bool = False) -> list[int]:
    return sorted(draws(bootstrap=bootstrap).draw(step, member=member, both=both).y_l.tolist())


def test_an_epoch_is_the_members_own_resample_every_time() -> None:
    first = epoch(0, bootstrap=True)
    assert epoch(0, bootstrap=True, step=3) == first
    # 60 draws with replacement show about 1 - 1/e of 60 items.
    assert 30 <= len(set(first)) <= 46
    assert epoch(1, bootstrap=True) != first


def test_images_and_targets_stay_together() -> None:
    batch = draws(bootstrap=True).draw(2, member=1)
    assert (batch.x_l[:, 0, 0, 0] * 255).round().long().tolist() == batch.y_l.tolist()


def test_without_it_and_for_an_auxiliary_model_every_image_comes_once() -> None:
    assert epoch(1, bootstrap=False) == list(range(60))
    assert epoch(0, bootstrap=True, both=True) == list(range(60))


def test_one_labelled_image_is_drawn_again_and_again() -> None:
    assert draws(1, bootstrap=True).draw(4, member=2).y_l.tolist() == [0]


def test_suggestive_annotation_asks_for_it() -> None:
    assert create("suggestive-annotation").bootstrap
    assert not create("qbc").bootstrap
