"""What happens while something else does: labels told during a fit or a question, fits taken up again."""

import time

import pytest

from pickwell.items import Round
from pickwell.loop.campaign import Campaign


def answers(campaign: Campaign, question: Round) -> dict[int, str]:
    return {pick.item: str(campaign.pool.item(pick.item).known) for pick in question.picks}


def tell_once(campaign: Campaign, when: str, labels: dict[int, str]) -> list[int]:
    """Lets another process's tell happen as soon as the campaign is at it; returns where it was."""
    seen: list[int] = []

    def step(what: str, done: int, total: int) -> None:
        if what == when and not seen:
            seen.append(done)
            with Campaign(campaign.directory.root) as other:
                other.tell(labels, imported=True)

    campaign.progress = step
    return seen


def test_a_fit_says_what_it_reached_itself(campaign: Campaign) -> None:
    campaign.tell(answers(campaign, campaign.ask(20)))
    more = {item: str(campaign.pool.item(item).known) for item in campaign.unlabelled()[:50].tolist()}
    seen = tell_once(campaign, "training", more)
    metrics = campaign.fit()
    assert seen
    assert (metrics.labels, metrics.measured) == (20, 2)
    assert metrics.accuracy is not None
    assert campaign.fit().labels == 70


def test_a_corrected_label_is_measured_on_anew(campaign: Campaign) -> None:
    question = campaign.ask(20)
    campaign.tell(answers(campaign, question))
    held = [pick.item for pick in question.picks if pick.held_out]
    before = campaign.fit()
    for digit in "0123456789":
        campaign.tell(dict.fromkeys(held, digit))
        reached = campaign.fit()
        assert (reached.labels, reached.measured) == (20, 2)
        assert reached.values == campaign.measured().values
        if reached.values != before.values:
            return
    pytest.fail("the accuracy on two images did not change, whatever they were said to be")


def test_labels_told_while_picking_are_not_asked_for(campaign: Campaign) -> None:
    campaign.tell(answers(campaign, campaign.ask(20)))
    free = campaign.unlabelled().tolist()
    told = set(free[:1700])
    seen = tell_once(campaign, "scoring", {item: str(campaign.pool.item(item).known) for item in told})
    question = campaign.ask(20)
    assert seen
    assert len(question.picks) == 20
    assert not told & {pick.item for pick in question.picks}


def test_a_round_knows_how_long_its_fit_took(campaign: Campaign) -> None:
    campaign.tell(answers(campaign, campaign.ask(20)))
    campaign.progress = lambda what, *_: time.sleep(0.05) if what == "training" else None
    campaign.fit()
    with Campaign(campaign.directory.root) as later:
        fit = later.store.details(later.ask(5).number).timings["fit"]
    assert 0.05 <= fit < 30


def test_a_fit_taken_up_again_knows_what_it_took_before(campaign: Campaign) -> None:
    settings = campaign.directory.settings
    settings.write_text(settings.read_text().replace("checkpoint_seconds = 60.0", "checkpoint_seconds = 0.0"))

    def stop(what: str, done: int, total: int) -> None:
        if what == "training":
            time.sleep(0.3)
        if done == 2:
            raise KeyboardInterrupt

    with Campaign(campaign.directory.root) as first:
        first.tell(answers(first, first.ask(20)))
        first.progress = stop
        with pytest.raises(KeyboardInterrupt):
            first.fit()
    with Campaign(campaign.directory.root) as second:
        began = time.perf_counter()
        question = second.ask(5)
        here = time.perf_counter() - began
        fit = second.store.details(question.number).timings["fit"]
    assert fit > 0.3  # one step was saved after the first pause
    assert fit < here + 30
