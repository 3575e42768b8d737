"""The loop over rounds: what it asks when little is left, when it stops, and that it goes on where it was killed."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pickwell.errors import BudgetError
from pickwell.items import Item, Label
from pickwell.loop import round_loop
from pickwell.loop.campaign import Campaign
from pickwell.loop.creation import create
from pickwell.loop.round_loop import RoundEnd, after_labels, after_seconds
from pickwell.oracle import Simulated

QUICK: dict[str, Any] = {
    "model.width": 0.25, "training.epochs": 1, "training.precision": "fp32", "training.augment": "none",
    "strategy.name": "vaal", "strategy.steps": 3, "strategy.widths": [8], "strategy.latent": 4,
}  # fmt: skip


class Mortal(Simulated):
    """Answers a few questions, and is killed at the next."""

    lives = 1

    def answer(self, items: Sequence[Item]) -> list[Label]:
        if Mortal.lives == 0:
            raise KeyboardInterrupt
        Mortal.lives -= 1
        return super().answer(items)


def simulated(campaign: Campaign) -> Simulated:
    return Simulated(campaign.task, campaign.pool)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign of 40 images in two classes, its whole pool soon asked for."""
    root = tmp_path_factory.mktemp("small")
    for name, shade in (("dark", 40), ("light", 160)):
        (root / "photos" / name).mkdir(parents=True)
        for number in range(20):
            Image.new("L", (8, 8), shade + number).save(root / "photos" / name / f"{number}.png")
    create(root / "campaign", root / "photos", settings=QUICK, labels_from_folders=True)
    return root / "campaign"


@pytest.fixture
def campaign(small: Path, tmp_path: Path) -> Iterator[Campaign]:
    with Campaign(shutil.copytree(small, tmp_path / "campaign")) as opened:
        yield opened


def asked(campaign: Campaign) -> list[list[tuple[int, float]]]:
    return [[(pick.item, pick.score) for pick in each.picks] for each in campaign.store.rounds()]


def test_the_last_round_takes_what_is_left(campaign: Campaign, caplog: pytest.LogCaptureFixture) -> None:
    ends: list[RoundEnd] = []
    metrics = campaign.run(simulated(campaign), rounds=6, budget=12, callbacks=[ends.append])
    assert [len(each.picks) for each in campaign.store.rounds()] == [12, 12, 12, 4]
    assert [end.metrics.labels for end in ends] == [12, 24, 36, 40]
    assert (metrics.labels, metrics) == (40, ends[-1].metrics)
    assert "accuracy" in metrics.values
    assert [end.round.number for end in ends if end.round] == [end.details.number for end in ends if end.details]
    said = [
        "only 4 images are left: this round asks for all of them instead of 12",
        "no image is left to ask for: the run ends after 4 of 6 rounds",
    ]
    assert caplog.messages == said
    # Begun once more, as after a kill in its last fit, it ends in the same way.
    assert campaign.run(simulated(campaign), rounds=6, budget=12) == metrics


def test_to_ask_for_more_than_is_left_is_an_error(campaign: Campaign) -> None:
    campaign.run(simulated(campaign), rounds=1, budget=36)
    with pytest.raises(BudgetError, match="budget 5 is larger than the 4 unlabelled images left"):
        campaign.ask(5)


@pytest.mark.parametrize("lives", [0, 1, 3])
def test_a_run_that_was_killed_goes_on_with_the_same_picks(
    campaign: Campaign, small: Path, tmp_path: Path, lives: int
) -> None:
    other = shutil.copytree(small, tmp_path / "other")
    expected = campaign.run(simulated(campaign), rounds=4, budget=12)
    Mortal.lives = lives
    with Campaign(other) as killed, pytest.raises(KeyboardInterrupt):
        killed.run(Mortal(killed.task, killed.pool), rounds=4, budget=12)
    with Campaign(other) as resumed:
        assert len(asked(resumed)) == 1 + lives
        assert resumed.run(simulated(resumed), rounds=4 - lives, budget=12) == expected
        assert asked(resumed) == asked(campaign)


def test_a_run_ends_when_a_callback_says_so(campaign: Campaign) -> None:
    assert campaign.run(simulated(campaign), 9, 10, callbacks=[after_labels(20)]).labels == 20
    assert campaign.run(simulated(campaign), 9, 10, callbacks=[after_labels(20)]).labels == 20
    times = iter([0.0, 5.0, 10.0])
    assert campaign.run(simulated(campaign), 9, 10, callbacks=[after_seconds(7, lambda: next(times))]).labels == 30


def test_after_a_final_round_the_strategys_own_networks_rest(campaign: Campaign) -> None:
    seen: list[int] = []
    campaign.progress = lambda what, done, total: seen.append(total) if what == "training" and done == total else None
    round_loop.run(campaign, simulated(campaign), 10, rounds=2, final=True)
    assert seen == [3, 1]  # VAAL's three steps before the second question, the task model's one after it
    assert round_loop.run(campaign, simulated(campaign), 10, rounds=0, final=True).labels == 20
    assert len(seen) == 2
