"""Whole strategies on the fake learner, against their definitions worked out over the whole pool at once."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from pickwell.acquisition.stochastic import gumbel
from pickwell.items import Pick
from pickwell.learner.generators import generator
from pickwell.strategies import create
from pickwell.strategies.badge import residuals
from pickwell.testing import FakeDenseLearner, FakeLearner, FakeView, blobs, scenes

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
    check(asked("ensemble", break_ties=False), best(1 - s.max(1).values))
    entropy = torch.where(s > 0, -s * s.clamp(min=1e-9).log(), 0.0).sum(1)
    check(asked("qbc", break_ties=False), best(entropy))
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
        torch.nn.functional.cross_entropy(logits[None], logits.argmax()[None]).backward()
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


def pixels(passes: int = 1) -> list[Tensor]:
    """What the dense learner says of each unlabelled scene, worked out one by one: `(passes, C, H, W)` each."""
    found = []
    for _, some in scene_view().unlabelled.batches():
        for scene in some:
            taken = []
            for number in range(passes):
                brighter = scene * (1 + number / 10)
                half = brighter.shape[1] // 2
                means = [
                    float(part.double().mean())
                    for rows in (brighter[:, :half], brighter[:, half:])
                    for columns in (rows[..., :4], rows[..., 4:])
                    for part in columns
                ]
                logits = (FakeDenseLearner().weight.double() @ torch.tensor(means).double()).log_softmax(0)
                taken.append((logits[:, None, None] * (1 + brighter[0].double())).softmax(0))
            found.append(torch.stack(taken))
    return found


def scene_view() -> FakeView:
    return FakeView(scenes(), LABELLED, HELD_OUT, batch_size=10, learner=FakeDenseLearner())


def entropy_of(p: Tensor, dim: int) -> Tensor:
    return -(p * p.log()).sum(dim)


def check_scenes(name: str, scores: list[Tensor], **settings: Any) -> None:
    picks = create(name, settings).select(scene_view(), 8)
    expected = best(torch.stack(scores))
    assert [pick.item for pick in picks] == [item for item, _ in expected]
    assert [pick.score for pick in picks] == pytest.approx([score for _, score in expected], rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("reduction", ["mean", "max", "sum", "top"])
def test_pointwise_rules_of_masks_are_the_pixels_reduced(reduction: str) -> None:
    def shrink(scores: Tensor) -> Tensor:
        ordered = scores.flatten().sort(descending=True).values
        share = int(np.ceil(len(ordered) * 0.25))
        return {"mean": ordered.mean(), "max": ordered[0], "sum": ordered.sum(), "top": ordered[:share].mean()}[
            reduction
        ]

    rule = {"reduction": reduction, "top_share": 0.25}
    said = [p[0] for p in pixels()]
    check_scenes("entropy", [shrink(entropy_of(p, 0)) for p in said], **rule)
    check_scenes("least-confidence", [shrink(1 - p.amax(0)) for p in said], **rule)
    check_scenes("margin", [shrink(1 - (lambda t: t[0] - t[1])(p.topk(2, 0).values)) for p in said], **rule)


def test_sampled_rules_of_masks_are_taken_pixel_by_pixel() -> None:
    said = pixels(4)
    check_scenes("dbal", [entropy_of(p.mean(0), 0).mean() for p in said], passes=4)
    check_scenes("mc-dropout", [p.std(0, correction=0).mean(0).mean() for p in said], passes=4)
    bald = [(entropy_of(p.mean(0), 0) - entropy_of(p, 1).mean(0)).mean() for p in said]
    check_scenes("mc-dropout", bald, passes=4, measure="bald")
    shares = [torch.nn.functional.one_hot(p.argmax(1), 3).double().mean(0) for p in said]
    disagreement = [torch.where(s > 0, -s * s.clamp(min=1e-9).log(), 0.0).sum(-1).mean() for s in shares]
    check_scenes("qbc", disagreement, members=4, break_ties=False)
    check_scenes("ensemble", [(1 - s.amax(-1)).mean() for s in shares], members=4, break_ties=False)


def test_core_set_of_masks_covers_the_scenes_features() -> None:
    view = scene_view()
    features = [view.learner.embed(some).double() for _, some in view.unlabelled.batches()]
    known = [view.learner.embed(some).double() for _, some in view.labelled.batches()]
    pool, centres, picked = torch.cat(features), torch.cat(known), []
    for _ in range(6):
        picked.append(int(torch.cdist(pool, centres).amin(1).argmax()))
        centres = torch.cat((centres, pool[picked[-1]][None]))
    ids = view.unlabelled.ids()
    assert [pick.item for pick in create("core-set").select(view, 6)] == ids[picked].tolist()


def test_badge_of_masks_is_the_gradient_of_the_heads_bias_times_the_scenes_features() -> None:
    """The gradient itself where features are the same at every pixel: of the mean cross-entropy over the pixels."""
    logits = torch.randn(3, 4, 5, generator=generator(0, "logits"))
    features = torch.rand(7, generator=generator(0, "features"))
    weight = torch.zeros(3, 7, requires_grad=True)
    shifted = logits + (weight @ features)[:, None, None]
    torch.nn.functional.cross_entropy(shifted[None], logits.argmax(0)[None]).backward()
    torch.testing.assert_close(weight.grad, residuals(logits.softmax(0)[None])[0][:, None] * features)
