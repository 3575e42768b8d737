import json
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch

from pickwell.campaign.hints import Hints
from pickwell.items import Round
from pickwell.loop import suggestions as room
from pickwell.loop.campaign import Campaign
from pickwell.loop.suggestions import hints_of, nearest, suggestions, walk
from pickwell.store import Labels
from pickwell.testing import FakeLearner, FakeStream, blobs

IMAGES = blobs(40)


def labels_of(items: list[int], values: list[str]) -> Labels:
    return Labels(np.array(items), values, np.zeros(len(items), bool), np.ones(len(items), int))


def made(picks: list[int], labelled: list[int]) -> list[dict[str, object]]:
    def stream(ids: torch.Tensor) -> FakeStream:
        return FakeStream(IMAGES, ids, batch_size=4)

    labels = labels_of(labelled, [f"class {item % 3}" for item in labelled])
    classes = ["class 0", "class 1", "class 2"]
    return hints_of(picks, labels, classes, FakeLearner(), stream, torch.Generator().manual_seed(1))


def test_each_pick_has_what_the_model_would_say_and_what_it_resembles() -> None:
    picks, labelled = [31, 5, 17, 30, 4, 16], [0, 3, 9, 18, 22, 29, 33, 39]
    learner, features = FakeLearner(), FakeLearner().embed(IMAGES)
    found = made(picks, labelled)
    assert [one["item"] for one in found] == picks
    for one in found:
        item = int(str(one["item"]))
        chances = learner.predict(IMAGES[item : item + 1])[0]
        assert one["suggestion"] == f"class {int(chances.argmax())}"
        assert one["confidence"] == pytest.approx(float(chances.max()), abs=1e-5)
        distances = {other: float((features[other] - features[item]).norm()) for other in labelled}
        expected = sorted(labelled, key=lambda other: distances[other])[:6]
        neighbours = one["neighbours"]
        assert isinstance(neighbours, list)
        assert [near["item"] for near in neighbours] == expected
        assert [near["label"] for near in neighbours] == [f"class {other % 3}" for other in expected]
        assert [near["distance"] for near in neighbours] == pytest.approx([distances[i] for i in expected], abs=1e-5)
    assert sorted(int(str(one["order"])) for one in found) == list(range(6))


def test_a_walk_goes_from_each_image_to_a_similar_one() -> None:
    line = torch.tensor([5.0, 0.0, 6.0, 1.0, 7.0, 3.0])[:, None]
    assert walk(line) == [0, 2, 4, 5, 3, 1]


def test_equal_distances_go_to_the_lower_place_and_small_ones_are_exact() -> None:
    known = torch.tensor([[1000.0, 1.0], [1000.0, 0.0], [1000.0, 0.001], [1000.0, 1.0]])
    ((first, second, third),) = nearest(torch.tensor([[1000.0, 0.0]]), known, 3)
    assert (first[0], second[0], third[0]) == (1, 2, 0)
    assert (first[1], second[1], third[1]) == pytest.approx((0, 0.001, 1), abs=1e-7)
    assert [len(near) for near in nearest(torch.zeros(5, 2), known[:2], 6)] == [2] * 5


@pytest.mark.parametrize("part", [1, 7, 33])
def test_neighbours_do_not_depend_on_how_many_are_looked_for_at_once(part: int) -> None:
    """Of copies of a labelled image the first ones are told, however products of matrices round."""
    torch.manual_seed(0)
    known = torch.randn(100, 512).repeat(8, 1)
    features = known[:70] + 1e-3 * torch.randn(70, 1)
    whole = list(nearest(features, known, 5))
    assert [near for some in features.split(part) for near in nearest(some, known, 5)] == whole
    assert [[place for place, _ in near] for near in whole] == [[*range(place, 500, 100)] for place in range(70)]


def test_the_likeliest_class_is_suggested() -> None:
    said = list(suggestions(torch.tensor([[0.2, 0.8], [0.75, 0.25]]), ["cat", "dog"]))
    assert said == [{"suggestion": "dog", "confidence": 0.8}, {"suggestion": "cat", "confidence": 0.75}]


def test_only_so_many_labelled_images_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MOST_LABELLED", 3)
    found = made([1, 2], list(range(10, 40)))
    near = [one["neighbours"] for one in found]
    assert [len(one) for one in near if isinstance(one, list)] == [3, 3]


def answers(campaign: Campaign, question: Round) -> dict[int, str]:
    return {pick.item: str(campaign.pool.item(pick.item).known) for pick in question.picks}


def test_a_round_opens_with_hints_that_the_page_can_read(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = campaign.directory.rounds
    first = campaign.ask(20)
    assert not folder.exists()  # nothing is learnt yet, so there is nothing to suggest
    campaign.tell(answers(campaign, first))

    def power_cut(**_: object) -> Round:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:  # killed after the hints and before the round: the next ask makes both
        patch.setattr(campaign.store, "open_round", power_cut)
        with pytest.raises(KeyboardInterrupt):
            campaign.ask(20)
    before = (folder / "0002.json").read_bytes()
    question = campaign.ask(20)
    assert (folder / "0002.json").read_bytes() == before
    hints = Hints(folder).of(2)
    assert set(hints) == {pick.item for pick in question.picks}
    assert sorted(str(hint.order) for hint in hints.values()) == sorted(map(str, range(20)))
    known = dict(zip(campaign.store.labels().items.tolist(), campaign.store.labels().values, strict=True))
    for hint in hints.values():
        assert hint.suggestion in campaign.task.classes
        assert 1 / len(campaign.task.classes) <= float(str(hint.confidence)) <= 1
        assert [known[near.item] for near in hint.neighbours] == [near.label for near in hint.neighbours]
    assert campaign.store.details(2).timings["hints"] > 0


def test_hints_that_cannot_be_written_do_not_keep_a_round_from_opening(
    campaign: Campaign, caplog: pytest.LogCaptureFixture
) -> None:
    campaign.tell(answers(campaign, campaign.ask(20)))
    campaign.directory.rounds.write_text("no folder")
    assert campaign.ask(20).number == 2
    assert "round 2 has no suggestions" in caplog.text


def test_only_the_best_ranks_have_hints(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MOST_PICKS", 4)
    campaign.tell(answers(campaign, campaign.ask(20)))
    question = campaign.ask(20)
    text = Path(campaign.directory.rounds / "0002.json").read_text()
    assert [one["item"] for one in json.loads(text)["picks"]] == [pick.item for pick in question.picks[:4]]


def test_whoever_looks_on_is_told_steps_and_losses(campaign: Campaign) -> None:
    told = Told()
    campaign.progress = told
    campaign.tell(answers(campaign, campaign.ask(20)))
    campaign.ask(20)
    assert told.last["training"][0] == told.last["training"][1] > 0
    assert told.seen.keys() == {"task", "transductive", "adversarial", "discriminator"}
    assert all(map(math.isfinite, told.seen.values()))


class Told:
    """A progress that keeps the newest of everything."""

    def __init__(self) -> None:
        self.last: dict[str, tuple[int, int]] = {}
        self.seen: dict[str, float] = {}

    def __call__(self, what: str, done: int, total: int) -> None:
        self.last[what] = (done, total)

    def losses(self, values: Mapping[str, float]) -> None:
        self.seen |= values


def test_a_round_of_vaal_leaves_a_map_of_the_pool(campaign: Campaign) -> None:
    campaign.tell(answers(campaign, campaign.ask(20)))
    question = campaign.ask(20)
    with np.load(campaign.directory.rounds / "0002.latents.npz") as found:
        asked = [pick.item for pick in question.picks if not pick.held_out]
        assert set(asked) <= set(found["items"].tolist())
        assert int(found["labelled"].sum()) == 18
    campaign.tell(answers(campaign, question))
    campaign.ask(20, "entropy")
    assert not (campaign.directory.rounds / "0003.latents.npz").exists()
