import torch
from hypothesis import given
from hypothesis import strategies as st

from pickwell.learner import Devices, Draws
from pickwell.learner.batches import Shuffle


class Numbered:
    """Images that are filled with their id."""

    def get(self, ids: torch.Tensor) -> torch.Tensor:
        return ids.to(torch.uint8)[:, None, None, None].expand(-1, 3, 4, 4).contiguous()


def draws(seed: int = 0, augmentation: str = "none") -> Draws:
    return Draws(
        Numbered(),
        torch.tensor([3, 7, 20]),
        torch.tensor([0, 1, 2]),
        torch.arange(100, 200),
        size=4,
        augmentation=augmentation,
        seed=seed,
        devices=Devices("fp32"),
    )


@given(n=st.integers(1, 20), size=st.integers(1, 50), batches=st.integers(1, 10))
def test_every_epoch_shows_every_place_once(n: int, size: int, batches: int) -> None:
    shuffle = Shuffle(n, seed=5)
    row = torch.cat([shuffle.take(step, size) for step in range(batches)])
    for epoch in row[: len(row) // n * n].view(-1, n):
        assert sorted(epoch.tolist()) == list(range(n))


def test_images_and_targets_belong_together() -> None:
    batch = draws().draw(0)
    ids = (batch.x_l[:, 0, 0, 0] * 255).round().long()
    assert [{3: 0, 7: 1, 20: 2}[i] for i in ids.tolist()] == batch.y_l.tolist()
    assert len(batch.x_u) == 0


def test_a_batch_is_a_function_of_its_step() -> None:
    one, other = draws(augmentation="crop-flip"), draws(augmentation="crop-flip")
    for step in (5, 0, 5):
        torch.rand(step)  # nobody else's random numbers matter
        torch.testing.assert_close(one.draw(step, both=True).x_u, other.draw(step, both=True).x_u, rtol=0, atol=0)
    assert not torch.equal(draws(0).draw(0, both=True).x_u, draws(1).draw(0, both=True).x_u)


def test_members_of_a_committee_see_other_orders() -> None:
    orders = {tuple(draws().draw(step, member=m).y_l.tolist()) for m in range(6) for step in range(3)}
    assert len(orders) > 6
