"""What every strategy must keep to; subclass it in a test and say how to make yours.

class TestMine(StrategyContract):
    def make(self) -> Strategy:
        return Mine(steps=2)
"""

from abc import ABC, abstractmethod

import pytest
import torch

from pickwell.errors import BudgetError
from pickwell.items import Pick
from pickwell.strategies import Strategy, settings_of
from pickwell.testing.fakes import FakeDenseLearner, FakeLearner, FakeView, blobs, scenes, train_auxiliary

LABELLED = (1, 4, 5, 9, 12, 20)
HELD_OUT = (2, 7)
UNLABELLED = 40
"""What is left of the pool of 48: the largest budget."""


class StrategyContract(ABC):
    """A pool of 48 small images, 6 labelled and 2 held out; with `masks`, of scenes of two sizes, for masks."""

    masks = False

    @abstractmethod
    def make(self) -> Strategy:
        """A new strategy with settings that make it quick."""

    def view(self, *, batch_size: int = 16, seed: int = 0) -> FakeView:
        """The round's view that every test picks from."""
        pool = scenes() if self.masks else blobs()
        return FakeView(pool, LABELLED, HELD_OUT, batch_size=batch_size, seed=seed, learner=self.learner())

    def learner(self) -> FakeLearner:
        """The task model that the strategy asks."""
        return FakeDenseLearner() if self.masks else FakeLearner()

    def picks(self, budget: int, *, batch_size: int = 16, seed: int = 0) -> list[Pick]:
        """What a new strategy picks once it has trained on the view."""
        view = self.view(batch_size=batch_size, seed=seed)
        return train_auxiliary(self.make(), view).select(view, budget)

    @pytest.mark.parametrize("budget", [1, 7, UNLABELLED])
    def test_picks_exactly_the_budget_of_unlabelled_items_once_each(self, budget: int) -> None:
        picks = self.picks(budget)
        items = [pick.item for pick in picks]
        assert len(items) == budget
        assert len(set(items)) == budget
        assert set(items) <= set(self.view().unlabelled.ids().tolist())

    def test_ranks_count_from_one_and_scores_are_plain_numbers(self) -> None:
        picks = self.picks(9)
        assert [pick.rank for pick in picks] == list(range(1, 10))
        assert all(type(pick.item) is int and type(pick.score) is float for pick in picks)
        assert not any(pick.held_out for pick in picks)

    def test_scores_do_not_rise_along_the_ranks(self) -> None:
        scores = [pick.score for pick in self.picks(9)]
        assert scores == sorted(scores, reverse=True)

    @pytest.mark.parametrize("batch_size", [1, 7, 40])
    def test_picks_do_not_depend_on_the_readers_batches(self, batch_size: int) -> None:
        """A score may hang neither on an image's batch mates nor on how the pool is read."""
        assert self.picks(9, batch_size=batch_size) == self.picks(9)

    def test_the_same_seed_gives_the_same_picks(self) -> None:
        assert self.picks(9, seed=5) == self.picks(9, seed=5)

    def test_asking_again_from_a_restored_state_gives_the_same_picks(self) -> None:
        """What a process does that takes up a killed one: `begin`, then `load_state`, and no training."""
        view = self.view()
        trained = train_auxiliary(self.make(), view)
        expected = trained.select(view, 9)
        again, view = self.make(), self.view()
        train_auxiliary(again, view, steps=0)
        again.load_state({name: tensor.clone() for name, tensor in trained.state().items()})
        assert again.select(view, 9) == expected

    def test_equal_images_are_picked_in_order_of_id(self) -> None:
        """A pool of copies of one image: nothing but the id can tell them apart, unless the strategy draws lots."""
        copies = [blobs()[0]] * 12 if self.masks else blobs()[:1].repeat(12, 1, 1, 1)
        view = FakeView(copies, [0, 1], [2], learner=self.learner())
        items = [pick.item for pick in train_auxiliary(self.make(), view).select(view, 4)]
        if self.draws_lots:
            assert len(set(items)) == 4
        else:
            assert items == view.unlabelled.ids()[:4].tolist()

    draws_lots = False
    """Whether chance decides between equals: say so in a subclass."""

    def test_select_leaves_the_learner_and_everybodys_randomness_alone(self) -> None:
        """Whoever trains next must draw the same numbers as if nobody had asked."""
        view = self.view()
        strategy = train_auxiliary(self.make(), view)
        weight, chance = view.learner.weight.clone(), torch.get_rng_state()
        strategy.select(view, 9)
        assert torch.equal(view.learner.weight, weight)
        assert torch.equal(torch.get_rng_state(), chance)
        assert torch.is_grad_enabled()

    def test_a_query_leaves_the_training_as_it_was(self) -> None:
        """A query between two steps: running averages, optimisers and chance go on as if it had not been."""
        straight, looked = self.make(), self.make()
        for strategy in (straight, looked):
            train_auxiliary(strategy, self.view(), steps=1)
        looked.select(self.view(), 3)
        for strategy in (straight, looked):
            train_auxiliary(strategy, self.view(), start=1, steps=1)
        left, right = straight.state(), looked.state()
        assert left.keys() == right.keys()
        assert all(torch.equal(left[name], right[name]) for name in left)

    @pytest.mark.parametrize("budget", [0, -1, UNLABELLED + 1])
    def test_a_budget_that_cannot_be_met_is_refused(self, budget: int) -> None:
        with pytest.raises(BudgetError, match=f"budget {budget} is"):
            self.picks(budget)

    def test_its_settings_make_the_same_strategy(self) -> None:
        """Settings are stored with each round, and must be all that it takes to make the strategy again."""
        strategy = self.make()
        assert type(strategy)(**settings_of(strategy)) == strategy
