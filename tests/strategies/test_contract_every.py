"""Every strategy that needs no training of its own keeps to what every strategy keeps to, for classes and masks."""

import weakref
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from pickwell.errors import SettingsError, TrainingError
from pickwell.strategies import Strategy, available, create
from pickwell.testing import FakeDenseLearner, FakeLearner, FakeView, StrategyContract, blobs, scenes

CASES: list[tuple[str, dict[str, Any]]] = [
    ("random", {}),
    ("entropy", {}),
    ("entropy", {"picking": "power", "sharpness": 4.0}),
    ("margin", {"picking": "softmax"}),
    ("least-confidence", {"picking": "softrank"}),
    ("least-confidence", {"reduction": "max"}),
    ("mc-dropout", {"passes": 3}),
    ("mc-dropout", {"passes": 3, "measure": "bald", "reduction": "top", "top_share": 0.25}),
    ("mc-dropout", {"passes": 5, "measure": "variation-ratio"}),
    ("dbal", {"passes": 3}),
    ("ensemble", {}),
    ("ensemble", {"members": 2, "break_ties": False}),
    ("qbc", {"reduction": "sum"}),
    ("suggestive-annotation", {"members": 3}),
    ("core-set", {}),
    ("badge", {}),
    ("maxherding", {}),
    ("uherding", {}),
    ("uherding", {"uncertainty": "entropy", "reach": 0.5}),
    ("typiclust", {}),
    ("typiclust", {"clusters": 3, "neighbours": 2}),
    ("probcover", {}),
    ("dropquery", {}),
]
LOTS = {"random"}


class Cases(StrategyContract):
    name: str
    settings: dict[str, Any]

    @pytest.fixture(autouse=True, params=CASES, ids=lambda case: " ".join([case[0], *map(str, case[1].values())]))
    def chosen(self, request: pytest.FixtureRequest) -> None:
        self.name, self.settings = request.param
        # A class attribute of the contract, told anew for every case.
        self.draws_lots = self.name in LOTS or self.settings.get("picking", "top") != "top"

    def make(self) -> Strategy:
        return create(self.name, self.settings)


class TestForClasses(Cases):
    pass


class TestForMasks(Cases):
    masks = True


def test_no_strategy_is_left_out() -> None:
    assert {name for name in available() if not name.startswith("vaal")} == {name for name, _ in CASES}


@pytest.mark.parametrize(("name", "settings"), CASES)
@pytest.mark.parametrize("dense", [False, True])
def test_a_labelled_set_of_one_image_is_enough(name: str, settings: dict[str, Any], dense: bool) -> None:
    view = FakeView(scenes(), [3], learner=FakeDenseLearner()) if dense else FakeView(blobs(), [3])
    picks = create(name, settings).select(view, 5)
    assert len({pick.item for pick in picks} - {9}) == 5


@pytest.mark.parametrize(("name", "settings"), CASES)
@pytest.mark.parametrize("dense", [False, True])
def test_one_class_only_is_answered(name: str, settings: dict[str, Any], dense: bool) -> None:
    pool, learner = (scenes(), FakeDenseLearner(classes=1)) if dense else (blobs(), FakeLearner(classes=1))
    view = FakeView(pool, [3], learner=learner)
    assert len({pick.item for pick in create(name, settings).select(view, 5)}) == 5


@pytest.mark.parametrize(
    "name", ["entropy", "margin", "least-confidence", "mc-dropout", "dbal", "ensemble", "qbc", "badge"]
)
def test_with_one_class_nothing_is_uncertain_and_the_first_ids_are_picked(name: str) -> None:
    view = FakeView(blobs(), [0, 3], learner=FakeLearner(classes=1))
    assert [pick.item for pick in create(name).select(view, 4)] == [3, 6, 12, 15]


@pytest.mark.parametrize(
    ("name", "settings", "sentence"),
    [
        ("mc-dropout", {"passes": 1}, r"strategy\.passes is 1; it must be a whole number of at least 2"),
        ("mc-dropout", {"measure": "std"}, "setting 'measure' of strategy mc-dropout is 'std': .*'mean-std', 'bald'"),
        ("dbal", {"passes": 0}, r"strategy\.passes is 0; it must be a whole number of at least 1"),
        (
            "mc-dropout",
            {"passes": 10**24},
            r"setting 'passes' of strategy mc-dropout is 10+; 1,000,000,000 is the most",
        ),
        ("vaal", {"widths": [16, 10**12]}, r"setting 'widths' of strategy vaal is .*; 1,000,000,000 is the most"),
        ("ensemble", {"members": 1}, r"strategy\.members is 1; it must be a whole number of at least 2"),
        ("qbc", {"members": 0}, r"strategy\.members is 0; it must be"),
        (
            "suggestive-annotation",
            {"candidates": 0.5},
            r"strategy\.candidates is 0\.5; it must be a number of at least 1",
        ),
        ("entropy", {"sharpness": 0}, r"strategy\.sharpness is 0\.0; it must be a number above 0"),
        ("entropy", {"top_share": 1.5}, r"strategy\.top_share is 1\.5; it must be above 0 and at most 1"),
        ("entropy", {"passes": 3}, "unknown setting of strategy entropy 'passes'"),
        ("core-set", {"budget": 3}, "unknown setting of strategy core-set 'budget'"),
    ],
)
def test_a_setting_out_of_range_is_a_sentence(name: str, settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        create(name, settings)


@pytest.mark.parametrize(
    ("name", "members"), [("ensemble", 5), ("qbc", 5), ("suggestive-annotation", 5), ("entropy", 1), ("mc-dropout", 1)]
)
def test_a_strategy_says_how_many_task_models_it_wants(name: str, members: int) -> None:
    assert create(name).committee == members
    assert create(name).bootstrap == (name == "suggestive-annotation")
    if members > 1:
        assert create(name, {"members": 3}).committee == 3


@pytest.mark.parametrize("name", ["mc-dropout", "dbal", "ensemble", "qbc"])
def test_memory_does_not_grow_with_the_passes(name: str) -> None:
    """Of all the samples at most two are alive at once: the one at work and the one that comes."""
    alive: list[int] = []

    class Counting(FakeDenseLearner):
        def sample(self, images: Tensor, n: int) -> Iterator[Tensor]:
            held: weakref.WeakSet[Tensor] = weakref.WeakSet()
            for sample in super().sample(images, n):
                held.add(sample)
                yield sample
                alive.append(len(held))

    many = "members" if name in ("ensemble", "qbc") else "passes"
    create(name, {many: 40}).select(FakeView(blobs(), [3], learner=Counting()), 5)
    assert len(alive) >= 40
    assert max(alive) <= 2


@pytest.mark.parametrize(("name", "settings"), [case for case in CASES if case[0] != "random"])
@pytest.mark.parametrize("dense", [False, True])
def test_what_is_not_a_number_is_named_and_decides_nothing(name: str, settings: dict[str, Any], dense: bool) -> None:
    pool = scenes() if dense else blobs()
    pool[7] = torch.full_like(pool[7], torch.nan)
    view = FakeView(pool, [3], learner=FakeDenseLearner() if dense else FakeLearner())
    with pytest.raises(TrainingError, match=r"of item 21 is nan, not a number: .* lower learning rate"):
        create(name, settings).select(view, 5)


def test_random_state_of_the_round_decides_a_drawn_batch() -> None:
    strategy = create("entropy", {"picking": "power"})
    picks = {tuple(p.item for p in strategy.select(FakeView(blobs(), [3], seed=seed), 5)) for seed in range(4)}
    assert len(picks) == 4
    assert len({item for drawn in picks for item in drawn}) > 8
