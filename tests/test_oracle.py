from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from pickwell import tasks
from pickwell.config import TaskSettings
from pickwell.data.pool import Pool
from pickwell.errors import LabelError
from pickwell.items import Item, Pick, PickState, Round, RoundState
from pickwell.oracle import Human, Noisy, Simulated

CLASSES = ("cat", "dog", "car", "bus")
TASK = tasks.named("classification")(TaskSettings(classes=CLASSES), Path())
ITEMS = [Item(i, f"{i}.jpg", CLASSES[i % 4]) for i in range(2000)]


class Sizes:
    """A pool of images of one size."""

    manifest = property(lambda self: self)

    def sizes(self, items: Sequence[int]) -> NDArray[np.int32]:
        return np.full((len(items), 2), 8, np.int32)


TRUTH = Simulated(TASK, cast("Pool", Sizes()))


def test_simulated_tells_what_is_known() -> None:
    assert [label.value for label in TRUTH.answer(ITEMS[:4])] == list(CLASSES)


def test_simulated_needs_known_labels() -> None:
    with pytest.raises(LabelError, match=r"item 7 \(x\.jpg\) has no known label"):
        TRUTH.answer([Item(7, "x.jpg")])
    with pytest.raises(LabelError, match="unknown class 'dgo'; did you mean 'dog'"):
        TRUTH.answer([Item(7, "x.jpg", "dgo")])


@pytest.mark.parametrize("rate", [0.0, 0.2, 1.0])
def test_noise_has_its_rate_and_stays_in_its_group(rate: float) -> None:
    groups = (("cat", "dog"), ("car", "bus"))
    noisy = Noisy(TRUTH, rate, groups, seed=3)
    answers = noisy.answer(ITEMS)
    wrong = [(item.known, label.value) for item, label in zip(ITEMS, answers, strict=True) if item.known != label.value]
    assert abs(len(wrong) / len(ITEMS) - rate) < 0.03
    assert set(wrong) <= {("cat", "dog"), ("dog", "cat"), ("car", "bus"), ("bus", "car")}


def test_noise_depends_on_seed_and_item_alone() -> None:
    noisy = Noisy(TRUTH, 0.5, seed=1)
    assert noisy.answer(ITEMS[:50]) == noisy.answer(ITEMS[49::-1])[::-1]
    assert noisy.answer(ITEMS[:50]) != Noisy(TRUTH, 0.5, seed=2).answer(ITEMS[:50])


def test_noise_rate_is_a_share() -> None:
    with pytest.raises(LabelError, match=r"rate is 1\.5; it must be between 0 and 1"):
        Noisy(TRUTH, 1.5)


def test_human_waits_until_nothing_waits() -> None:
    open_round = Round(1, RoundState.OPEN, "random", 0, (Pick(5, 1, 0.5),))
    seen = iter([open_round, open_round, None])
    assert Human(lambda: next(seen), seconds=0).answer([Item(5, "5.jpg")]) == []
    assert list(seen) == []


def test_human_waits_until_disputes_are_decided() -> None:
    first, disputed, decided = (
        Round(1, RoundState.OPEN, "random", 0, (Pick(5, 1, 0.5, state=state), Pick(6, 2, 0.4, state=PickState.SKIPPED)))
        for state in (PickState.WAITING, PickState.DISPUTED, PickState.ANSWERED)
    )
    assert (disputed.waiting, [pick.item for pick in disputed.undecided]) == ((), [5])
    seen = iter([first, disputed, disputed, decided, None])
    Human(lambda: next(seen), seconds=0).answer([Item(5, "5.jpg")])
    assert list(seen) == [None]
