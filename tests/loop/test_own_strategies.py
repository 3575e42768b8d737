"""A strategy as an instance, of one's own class or of ours."""

from dataclasses import dataclass, field

import pytest

from pickwell import strategies
from pickwell.errors import RoundError, SettingsError
from pickwell.items import Pick, Round
from pickwell.loop.campaign import Campaign
from pickwell.strategies import RoundView, Strategy


def answers(campaign: Campaign, question: Round) -> dict[int, str]:
    return {pick.item: str(campaign.pool.item(pick.item).known) for pick in question.picks}


@dataclass(kw_only=True)
class LowestIds(Strategy):
    """A strategy of one's own, as a notebook has it."""

    step: int = 1
    asked: list[int] = field(default_factory=list, init=False)

    def select(self, view: RoundView, budget: int) -> list[Pick]:
        self.asked.append(budget)
        ids = view.unlabelled.ids()[:: self.step][:budget].tolist()
        return [Pick(item, rank, 1 / rank) for rank, item in enumerate(ids, 1)]


def test_a_strategy_of_ones_own_is_asked(campaign: Campaign) -> None:
    campaign.tell(answers(campaign, campaign.ask(20)))
    mine = LowestIds(step=2)
    question = campaign.ask(10, mine)
    assert question.strategy == "lowest-ids"
    assert question.settings == {"step": 2}
    own = [pick.item for pick in question.picks if not pick.held_out]
    assert own == sorted(own)
    assert own[0] <= 20  # of the lowest that are not labelled
    assert mine.asked == []  # what was asked is a copy
    # Until it is told, the same question is the open round, in another process too.
    assert campaign.ask(10, LowestIds(step=2)) == question
    with Campaign(campaign.directory.root) as other:
        assert other.ask(10, strategy=mine) == question
        with pytest.raises(RoundError, match=r"round 2 \(lowest-ids, 10 images\) is still open"):
            other.ask(10, "random")
    campaign.tell(answers(campaign, question))
    assert campaign.fit(mine).labels == 30
    truth = campaign.oracle("simulated")
    assert campaign.run(truth, 1, 10, LowestIds()).labels == 40
    assert campaign.store.rounds()[-1].strategy == "lowest-ids"


def test_settings_go_with_a_name(campaign: Campaign) -> None:
    campaign.tell(answers(campaign, campaign.ask(20)))
    with pytest.raises(SettingsError, match=r"settings are given beside a strategy \(step\); make it with them"):
        campaign.ask(10, LowestIds(), step=2)


def test_settings_that_cannot_be_stored_are_refused(campaign: Campaign) -> None:
    campaign.tell(answers(campaign, campaign.ask(20)))
    with pytest.raises(SettingsError, match=r"setting 'step' of strategy lowest-ids is <class 'int'>, and settings"):
        campaign.ask(10, LowestIds(step=int))  # type: ignore[arg-type]


def test_one_of_ours_as_an_instance_is_the_same_as_by_name(campaign: Campaign) -> None:
    campaign.tell(answers(campaign, campaign.ask(20)))
    question = campaign.ask(10, strategies.create("margin", {"picking": "softrank"}))
    assert (question.strategy, question.settings["picking"]) == ("margin", "softrank")
    assert campaign.ask(10, "margin") == question
