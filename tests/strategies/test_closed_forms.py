"""Whole strategies on the fake learner, against their definitions worked out over the whole pool at once."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from pickwell.acquisition.stochastic import gumbel
from pickwell.items import Pick
from pickwell.learner.seeds import generator
from pickwell.strategies import create
from pickwell.testing.fakes import FakeLearner, FakeView, blobs

LABELLED, HELD_OUT = (40, 41, 42), (3, 4, 5)


class Divided(FakeLearner):
    """Members whose weights differ, so that they vote for different classes."""

    def sample(self, images: Tensor, n: int) -> Iterator[Tensor]:
        for member in range(n):
            weight = self.weight / 4 + torch.randn(self.weight.shape, generator=generator(member, "member"))
            yield (self.embed(images)[:, None] * weight).sum(2).softmax(1)


def asked(name: str, budget: int = 8, **settings: Any) -> list[Pick]:
    return create(name, settings).select(view(), budget)


def view() -> FakeView:
    return FakeView(blobs(), LABELLED, HELD_OUT, batch_size=10, learner=Divided())


def images(of: str = "unlabelled") -> Tensor:
    stream = getattr(view(), of)
    return torch.cat([images for _, images in stream.batches()])


def best(scores: Tensor, budget: int = 8) -> list[tuple[int, float]]:
    """Ids and scores, the highest first, equals by id."""
    ids, values = view().unlabelled.ids().tolist(), scores.double().tolist()
    order = sorted(range(len(ids)), key=lambda at: (-values[at], ids[at]))[:budget]
    return [(ids[at], values[at]) for at in order]


def check(picks: list[Pick], expected: list[tuple[int, float]]) -> None:
    assert [pick.item for pick in picks] == [item for item, _ in expected]
    assert [pick.score for pick in picks] == pytest.approx([score for _, score in expected], rel=1e-5, abs=1e-7)


def samples(n: int) -> Tensor:
    """`(n, N, C)`."""
    return torch.stack(list(view().learner.sample(images(), n)))


def shares(votes: Tensor) -> Tensor:
    return torch.nn.functional.one_hot(votes.argmax(2), 3).double().mean(0)


def test_pointwise_rules() -> None:
    p = view().learner.predict(images())
    check(asked("entropy"), best(-(p * p.log()).sum(1)))
    check(asked("least-confidence"), best(1 - p.max(1).values))
    ordered = p.sort(1).values
    check(asked("margin"), best(1 - ordered[:, 2] + ordered[:, 1]))


def test_dropout_rules() -> None:
    p = samples(4)
    mean = p.mean(0)
    max_entropy = -(mean * mean.log()).sum(1)
    check(asked("dbal", passes=4), best(max_entropy))
    check(asked("mc-dropout", passes=4), best(p.std(0, correction=0).mean(1)))
    inside = -(p * p.log()).sum(2).mean(0)
    check(asked("mc-dropout", passes=4, measure="bald"), best(max_entropy.double() - inside))


def test_committee_rules() -> None:
    s = shares(samples(5))
    assert 1 < len(set(s.max(1).values.tolist())) < 5  # few scores: nearly all images tie
    check(asked("ensemble", untie=False), best(1 - s.max(1).values))
    entropy = torch.where(s > 0, -s * s.clamp(min=1e-9).log(), 0.0).sum(1)
    check(asked("qbc", untie=False), best(entropy))
    mean = samples(5).mean(0)
    unsure = -(mean * mean.log()).sum(1)
    for name in ("ensemble", "qbc"):
        ids = [item for item, _ in best(10 * (1 - s.max(1).values) + unsure.double() / 10)]
        assert [pick.item for pick in asked(name)] == ids


def test_core_set_starts_from_what_is_labelled_and_not_from_what_is_held_out() -> None:
    learner, pool, ids = view().learner, images(), view().unlabelled.ids().tolist()
    features, centres = learner.embed(pool).double(), list(learner.embed(images("labelled")).double())
    expected = []
    for _ in range(8):
        near = torch.stack([(features - centre).norm(dim=1) for centre in centres]).amin(0)
        at = int(near.argmax())
        expected.append((ids[at], float(near[at])))
        centres.append(features[at])
    check(asked("core-set"), expected)


def test_core_set_without_a_label_starts_from_the_first_image() -> None:
    picks = create("core-set").select(FakeView(blobs(), []), 2)
    assert [picks[0].item, picks[0].score] == [0, float("inf")]
    features = FakeView(blobs(), []).learner.embed(blobs())
    assert picks[1].item == 3 * int((features - features[0]).norm(dim=1).argmax())


def test_badge_draws_from_the_gradients_of_the_last_layer() -> None:
    """The gradient itself, by autograd, of the cross-entropy of a linear layer whose logits are the learner's."""
    learner, pool, ids = view().learner, images(), view().unlabelled.ids()
    features = learner.embed(pool)
    gradients = []
    for row in features:
        weight = learner.weight.clone().requires_grad_()
        logits = weight @ row
        torch.nn.functional.cross_entropy(logits[None], logits.argmax()[None]).backward()  # type: ignore[no-untyped-call]
        assert weight.grad is not None
        gradients.append(weight.grad.flatten().double())
    table = torch.stack(gradients).numpy()
    chance = view().rng
    picks = [int((table**2).sum(1).argmax())]
    left_over = []
    for _ in range(8):
        near = np.min([((table - table[pick]) ** 2).sum(1) for pick in picks], axis=0)
        left_over.append(float(near.mean()))
        heap = near.cumsum()
        draw = float(torch.rand((), generator=chance, dtype=torch.float64)) * heap[-1]
        picks.append(int(np.searchsorted(heap, draw, side="right")))
    check(asked("badge"), list(zip(ids[picks[:8]].tolist(), left_over, strict=True)))


@pytest.mark.parametrize("candidates", [1.0, 2.0, 3.4])
def test_suggestive_annotation_covers_the_pool_by_what_is_unsure(candidates: float) -> None:
    pool, ids = images(), view().unlabelled.ids().tolist()
    unsure = samples(5).std(0, correction=0).mean(1)
    kept = {item for item, _ in best(unsure, int(np.ceil(candidates * 6)))}
    unit = torch.nn.functional.normalize(view().learner.embed(pool).double())
    similarity = unit @ unit.T
    covered = torch.full((len(ids),), -1.0, dtype=torch.float64)
    expected: list[tuple[int, float]] = []
    for _ in range(6):
        gains = [
            (float(torch.maximum(covered, similarity[at]).mean() - covered.mean()), -at)
            for at, item in enumerate(ids)
            if item in kept and item not in [chosen for chosen, _ in expected]
        ]
        gain, at = max(gains)
        covered = torch.maximum(covered, similarity[-at])
        expected.append((ids[-at], gain))
    picks = asked("suggestive-annotation", 6, candidates=candidates)
    assert [pick.item for pick in picks] == [item for item, _ in expected]
    assert [pick.score for pick in picks] == pytest.approx([gain for _, gain in expected], abs=1e-6)


def test_power_picking_is_a_race_of_scores_and_the_rounds_noise() -> None:
    p = view().learner.predict(images())
    seed = int(torch.randint(2**62, (), generator=generator(0, "select")))
    race = 3 * (-(p * p.log()).sum(1)).double().log() + gumbel(seed, view().unlabelled.ids())
    check(asked("entropy", picking="power", sharpness=3.0), best(race))
    assert [pick.item for pick in asked("entropy")] != [item for item, _ in best(race)]
