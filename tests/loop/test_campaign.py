import re
import shutil
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import torch

from pickwell.data.images import Images
from pickwell.errors import BudgetError, LabelError, RoundError, SettingsError
from pickwell.items import Kind, Label, Pick, Round, RoundState
from pickwell.loop.campaign import Campaign
from pickwell.loop.fitting import Fit, Fitter, TrainingSet
from pickwell.strategies import RoundView
from pickwell.strategies.ensemble import Ensemble
from pickwell.strategies.suggestive_annotation import SuggestiveAnnotation
from pickwell.strategies.vaal import VAAL


def answers(campaign: Campaign, question: Round) -> dict[int, str]:
    return {pick.item: str(campaign.pool.item(pick.item).known) for pick in question.picks}


def picks(question: Round) -> list[tuple[int, float]]:
    return [(pick.item, pick.score) for pick in question.picks]


def test_the_first_round_is_drawn_at_random(campaign: Campaign) -> None:
    question = campaign.ask(20)
    assert question.strategy == "random"
    assert [pick.rank for pick in question.picks] == list(range(1, 21))
    assert len({pick.item for pick in question.picks}) == 20
    assert sum(pick.held_out for pick in question.picks) == 2


def test_asking_again_gives_the_same_until_told(campaign: Campaign) -> None:
    question = campaign.ask(20)
    assert campaign.ask(20) == question
    with Campaign(campaign.directory.root) as other:
        assert other.ask(20) == question
    campaign.tell(answers(campaign, question))
    again = campaign.ask(20)
    assert again.strategy == "vaal"
    assert not {p.item for p in again.picks} & {p.item for p in question.picks}


def test_another_question_has_to_wait(campaign: Campaign) -> None:
    campaign.ask(20)
    with pytest.raises(RoundError, match=r"round 1 \(random, 20 images\) is still open with 20 unanswered"):
        campaign.ask(21)


def test_a_round_that_was_to_be_random_is_no_other(campaign: Campaign) -> None:
    campaign.tell(answers(campaign, campaign.ask(20, "vaal")))
    question = campaign.ask(20, "random")
    with pytest.raises(RoundError, match=r"round 2 \(random, 20 images\) is still open"):
        campaign.ask(20, "vaal")
    assert campaign.ask(20) == question


def test_figures_of_other_labels_are_not_shown(campaign: Campaign) -> None:
    question = campaign.ask(20)
    campaign.tell(answers(campaign, question))
    reached = campaign.fit()
    assert campaign.measured() == reached
    item = next(pick.item for pick in question.picks if not pick.held_out)
    campaign.tell({item: "0" if campaign.pool.item(item).known != "0" else "1"})
    assert (campaign.measured().labels, campaign.measured().values) == (20, {})
    assert "train on the labels" in campaign.status().advice
    campaign.undo()
    assert campaign.fit().values == reached.values == campaign.measured().values
    # A skip changes no answer, neither told nor taken back.
    campaign.tell([Label(campaign.ask(3).picks[0].item, None, Kind.SKIP)])
    assert campaign.measured().values == reached.values
    campaign.undo()
    assert campaign.measured().values == reached.values


def test_figures_of_labels_corrected_meanwhile_are_not_shown(campaign: Campaign) -> None:
    question = campaign.ask(20)
    campaign.tell(answers(campaign, question))
    item = next(pick.item for pick in question.picks if not pick.held_out)
    other = {item: "0" if campaign.pool.item(item).known != "0" else "1"}

    def corrects(what: str, done: int, total: int) -> None:
        if what == "training" and other:
            with Campaign(campaign.directory.root) as second:
                second.tell({item: other.pop(item)})

    campaign.progress = corrects
    assert campaign.fit().values
    assert not other
    assert campaign.measured().values == {}


def test_labels_held_out_are_never_trained_on(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    training_sets: list[TrainingSet] = []
    views: list[RoundView] = []
    fit, select = Fitter.fit, VAAL.select

    def fitted(self: Fitter, training_set: TrainingSet, *rest: Any) -> Fit:
        training_sets.append(training_set)
        return fit(self, training_set, *rest)

    def selected(self: VAAL, view: RoundView, budget: int) -> list[Pick]:
        views.append(view)
        return select(self, view, budget)

    monkeypatch.setattr(Fitter, "fit", fitted)
    monkeypatch.setattr(VAAL, "select", selected)
    for _ in range(2):
        campaign.tell(answers(campaign, campaign.ask(20)))
    labels = campaign.store.labels()
    held = set(labels.items[labels.held_out].tolist())
    assert len(held) == 4
    metrics = campaign.fit()
    assert (metrics.measured, metrics.labels) == (4, 40)
    assert set(training_sets[-1].labelled.tolist()) == set(labels.items.tolist()) - held
    campaign.ask(20)
    trained_on = training_sets[-1].labelled.tolist()
    assert not held & set(training_sets[-1].unlabelled.tolist())
    assert views[-1].labelled.ids().tolist() == trained_on
    assert set(views[-1].held_out.ids().tolist()) == held
    assert not held & set(views[-1].unlabelled.ids().tolist())


def test_the_steps_of_a_fit_follow_from_what_it_learns_from(campaign: Campaign) -> None:
    """Trap: as many as the whole pool would need, 29 a pass for 1,797 images."""
    campaign.tell(answers(campaign, campaign.ask(80)))
    totals: set[int] = set()
    campaign.progress = lambda what, done, total: totals.add(total) if what == "training" else None
    campaign.fit("random")
    assert totals == {2}  # 72 labels in batches of 64, one epoch


def test_small_budgets_hold_out_their_share_in_the_long_run(campaign: Campaign) -> None:
    for _ in range(5):
        campaign.tell(answers(campaign, campaign.ask(4, "random")))
    assert campaign.store.labels().held_out.sum() == 2


def test_partial_answers_skips_and_ignores(campaign: Campaign) -> None:
    first, second, third, *rest = campaign.ask(10).picks
    told = campaign.tell([Label(first.item, "3"), Label(second.item, None, Kind.SKIP)])
    assert (told.answered, told.skipped) == (1, 1)
    assert len(campaign.ask(10).waiting) == 8
    campaign.tell([Label(third.item, None, Kind.IGNORE)])
    campaign.close_round()
    free = set(campaign.unlabelled().tolist())
    assert first.item not in free
    assert second.item in free
    assert third.item not in free
    assert {pick.item for pick in rest} <= free
    with pytest.raises(RoundError, match="no round is open"):
        campaign.close_round()


def test_corrections_and_undo(campaign: Campaign) -> None:
    question = campaign.ask(3)
    item = question.picks[0].item
    campaign.tell(answers(campaign, question))
    before = campaign.store.labels().values
    campaign.tell({item: "0"})
    campaign.tell({item: "1"})
    at = campaign.store.labels().items.tolist().index(item)
    assert campaign.store.labels().values[at] == "1"
    campaign.undo()
    assert campaign.store.labels().values[at] == "0"
    campaign.undo()
    assert campaign.store.labels().values == before
    campaign.undo()
    assert len(campaign.store.labels()) == 0
    assert campaign.store.round(1).state is RoundState.OPEN


def test_imports_are_labels_of_items_never_asked(campaign: Campaign) -> None:
    with pytest.raises(LabelError, match="item 5 was never asked"):
        campaign.tell({5: "3"})
    campaign.tell({item: str(campaign.pool.item(item).known) for item in range(400)}, imported=True)
    labels = campaign.store.labels()
    assert len(labels) == 400
    assert 20 <= labels.held_out.sum() <= 65
    assert campaign.ask(5).strategy == "vaal"
    said = campaign.status().monitors
    assert "active_units" in said
    campaign.tell({item: str(campaign.pool.item(item).known) for item in range(400, 410)}, imported=True)
    assert campaign.status().monitors == said  # the last round is the import's, which picked nothing


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        ({9999: "3"}, "unknown item 9999; the pool holds items 0 to 1796"),
        ({0: "33"}, "item 0: unknown class '33'; did you mean '3'?"),
    ],
)
def test_wrong_labels_change_nothing(campaign: Campaign, labels: dict[int, str], sentence: str) -> None:
    question = campaign.ask(2)
    good = answers(campaign, question)
    position = campaign.store.position()
    with pytest.raises(LabelError, match=re.escape(sentence)):
        campaign.tell(good | labels)
    assert campaign.store.position() == position


def test_budgets_larger_than_the_pool_are_refused(campaign: Campaign) -> None:
    with pytest.raises(BudgetError, match="budget 1798 is larger than the 1797 unlabelled images left"):
        campaign.ask(1798)
    with pytest.raises(BudgetError, match="budget 0 is not a number of images"):
        campaign.ask(0)
    assert campaign.store.rounds() == []


def test_strategies_and_settings_by_name(campaign: Campaign) -> None:
    with pytest.raises(SettingsError, match="unknown strategy 'vall'; did you mean 'vaal'"):
        campaign.ask(5, "vall")
    with pytest.raises(SettingsError, match="unknown setting of strategy vaal 'step'; did you mean 'steps'"):
        campaign.ask(5, "vaal", step=4)
    with pytest.raises(LabelError, match="nothing is labelled yet"):
        campaign.fit()


def test_ask_fits_only_if_labels_changed(campaign: Campaign) -> None:
    seen: list[str] = []
    campaign.tell(answers(campaign, campaign.ask(20)))
    campaign.progress = lambda what, done, total: seen.append(what)
    campaign.fit()
    assert "training" in seen
    seen.clear()
    campaign.fit()
    campaign.ask(5)
    assert "training" not in seen
    with Campaign(campaign.directory.root, progress=lambda what, *_: seen.append(what)) as other:
        other.fit()
        assert "training" not in seen


def test_the_whole_pool_can_be_labelled(campaign: Campaign) -> None:
    known = campaign.pool.manifest.known()
    campaign.tell({item: str(known[item]) for item in range(1790)}, imported=True)
    metrics = campaign.run(campaign.oracle("simulated"), rounds=1, budget=7)
    assert metrics.labels == 1797
    with pytest.raises(BudgetError, match="none of the 1797 images is left to ask for"):
        campaign.ask(1)


def test_the_task_models_are_the_same_where_nothing_is_asked_any_more(campaign: Campaign) -> None:
    known = campaign.pool.manifest.known()
    campaign.tell({item: str(known[item]) for item in range(60)}, imported=True)
    _, images = next(iter(campaign.stream(torch.arange(60, 80)).batches()))
    seen, sa = [], SuggestiveAnnotation()
    for name, strategy in (("vaal", VAAL(steps=3, widths=(8,), latent=4)), ("ensemble", Ensemble()), ("sa", sa)):
        whole = campaign.fitted(name, strategy, campaign.store.labels()).fit
        alone = campaign.fitted(name, strategy, campaign.store.labels(), asking=False).fit
        assert (whole.strategy, alone.strategy.joint_steps) == (strategy, 0)
        seen.append(alone.learner.predict(images))
        assert torch.equal(whole.learner.predict(images), seen[-1])
    # One network, a committee, and one whose members learn from draws of their own.
    assert not any(torch.equal(a, b) for a, b in combinations(seen, 2))
    assert campaign.fit(asking=False) == campaign.fit()


def test_run_is_ask_answer_learn_repeated(campaign: Campaign, made: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(made, tmp_path / "other")
    metrics = campaign.run(campaign.oracle("simulated"), rounds=3, budget=12)
    with Campaign(tmp_path / "other") as other:
        for _ in range(3):
            other.tell(answers(other, other.ask(12)))
            last = other.fit()
        assert [picks(r) for r in other.store.rounds()] == [picks(r) for r in campaign.store.rounds()]
    assert last.values == metrics.values
    assert [row.labels for row in campaign.store.results() if row.metric == "accuracy"] == [12, 24, 36]
    with pytest.raises(BudgetError, match="rounds 0 is not a number of rounds; run at least 1"):
        campaign.run(campaign.oracle("simulated"), rounds=0, budget=12)


def test_adding_images_keeps_ids(campaign: Campaign, tmp_path: Path) -> None:
    from PIL import Image

    question = campaign.ask(5)
    (tmp_path / "more").mkdir()
    for number in range(3):
        Image.new("L", (20, 20), 40 * number).save(tmp_path / "more" / f"{number}.png")
    summary = campaign.add(tmp_path / "more")
    assert (summary.added, summary.total) == (3, 1800)
    assert len(campaign.unlabelled()) == 1795
    assert campaign.ask(5) == question
    campaign.tell({1799: "4"}, imported=True)
    assert isinstance(campaign.images, Images)
    assert campaign.images.get(torch.from_numpy(campaign.unlabelled()[-1:])).shape == (1, 3, 16, 16)


def test_what_is_scored_does_not_depend_on_the_memory_limit(campaign: Campaign, made: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(made, tmp_path / "other")
    text = (tmp_path / "other" / "campaign.toml").read_text()
    (tmp_path / "other" / "campaign.toml").write_text(text.replace("memory_limit_mib = 2048", "memory_limit_mib = 1"))
    campaign.tell(answers(campaign, campaign.ask(30)))
    with Campaign(tmp_path / "other") as streaming:
        assert isinstance(streaming.images, Images)
        assert not streaming.images.in_memory
        streaming.tell(answers(streaming, streaming.ask(30)))
        assert picks(streaming.ask(10)) == picks(campaign.ask(10))


def test_status_counts(campaign: Campaign) -> None:
    assert "ask for the first images" in campaign.status().advice
    question = campaign.ask(20)
    campaign.tell(dict(list(answers(campaign, question).items())[:15]))
    now = campaign.status()
    assert (now.images, now.labelled, now.waiting, now.rounds, now.open_round) == (1797, 15, 5, 0, 1)
    assert sum(now.classes.values()) == 15
    assert "to-label.csv" in now.advice
    campaign.tell({pick.item: "3" for pick in campaign.ask(20).waiting})
    rest = {item: str(campaign.pool.item(item).known) for item in campaign.unlabelled().tolist()}
    campaign.tell(dict(list(rest.items())[7:]), imported=True)
    assert "--budget 7" in campaign.status().advice
    campaign.tell(dict(list(rest.items())[:7]), imported=True)
    assert "every image was asked for" in campaign.status().advice


def test_reports_open(campaign: Campaign) -> None:
    from pickwell.report.campaign_page import campaign_report, page
    from pickwell.report.page import render

    empty = campaign_report(campaign)
    assert "No accuracy has been measured yet" in render(page(empty))
    campaign.run(campaign.oracle("simulated"), rounds=2, budget=10)
    report = campaign_report(campaign)
    assert [row.labels for row in report.runs[0].rounds] == [10, 20]
    assert all(row.accuracy is not None for row in report.runs[0].rounds)
    assert all(pick.png for gallery in report.galleries for pick in gallery.picks)
    assert "Round 2: vaal" in render(page(report))


def test_a_misspelt_setting_of_the_strategy_is_told_on_opening(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path / "c")
    settings = tmp_path / "c" / "campaign.toml"
    settings.write_text(settings.read_text().replace("latent = 4", "lattent = 4"))
    with pytest.raises(SettingsError, match="unknown setting of strategy vaal 'lattent'; did you mean 'latent'"):
        Campaign(tmp_path / "c")
