"""Uncertainty measures against their definitions, worked out by hand and by numpy over all samples at once."""

import math
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.testing import assert_close

from pickwell.acquisition.uncertainty import (
    Fold,
    Reduction,
    bald,
    entropy,
    least_confidence,
    margin,
    mean_standard_deviation,
    predictive_entropy,
    reduced,
    variation_ratio,
    vote_entropy,
)

FOLDS: list[Fold] = [bald, mean_standard_deviation, predictive_entropy, variation_ratio, vote_entropy]
SHAPES = [(4, 3), (2, 5, 6, 7)]


def posterior(shape: tuple[int, ...], samples: int = 7, seed: int = 0) -> Tensor:
    """Samples, first dimension, of probabilities of the shape."""
    return (2 * torch.randn(samples, *shape, generator=torch.Generator().manual_seed(seed))).softmax(2)


def numpy_entropy(p: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    terms: NDArray[np.float64] = np.where(p > 0, -p * np.log(np.where(p > 0, p, 1)), 0)
    return np.asarray(terms.sum(axis))


def votes(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """The share of the samples (first axis) that vote for each class (axis 2)."""
    best = p.argmax(2)
    return np.stack([(best == c).mean(0) for c in range(p.shape[2])], axis=1)


def test_one_prediction_by_hand() -> None:
    p = torch.tensor([[0.7, 0.2, 0.1], [0.5, 0.5, 0.0], [0.0, 1.0, 0.0]])
    by_hand = [-0.7 * math.log(0.7) - 0.2 * math.log(0.2) - 0.1 * math.log(0.1), math.log(2), 0.0]
    assert_close(entropy(p), torch.tensor(by_hand))
    assert_close(margin(p), torch.tensor([0.5, 1.0, 0.0]))
    assert_close(least_confidence(p), torch.tensor([0.3, 0.5, 0.0]))


def test_two_opposite_samples_by_hand() -> None:
    """They agree on the first image and are sure of different classes on the second."""
    samples = [torch.tensor([[0.5, 0.5], [1.0, 0.0]]), torch.tensor([[0.5, 0.5], [0.0, 1.0]])]
    assert_close(bald(iter(samples)), torch.tensor([0.0, math.log(2)]))
    assert_close(mean_standard_deviation(iter(samples)), torch.tensor([0.0, 0.5]))
    assert_close(predictive_entropy(iter(samples)), torch.tensor([math.log(2), math.log(2)]))
    assert_close(variation_ratio(iter(samples)), torch.tensor([0.0, 0.5]))
    assert_close(vote_entropy(iter(samples)), torch.tensor([0.0, math.log(2)]))


@pytest.mark.parametrize("shape", SHAPES)
def test_folds_equal_numpy_over_all_samples_at_once(shape: tuple[int, ...]) -> None:
    p = posterior(shape)
    n = p.double().numpy()
    expected: dict[Fold, NDArray[np.float64]] = {
        bald: numpy_entropy(n.mean(0), 1) - numpy_entropy(n, 2).mean(0),
        mean_standard_deviation: n.std(0).mean(1),
        predictive_entropy: numpy_entropy(n.mean(0), 1),
        variation_ratio: 1 - votes(n).max(1),
        vote_entropy: numpy_entropy(votes(n), 1),
    }
    for fold in FOLDS:
        found = fold(iter(p))
        assert found.dtype == torch.float32
        assert_close(found, torch.from_numpy(expected[fold]).float(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("fold", FOLDS)
def test_samples_are_folded_one_at_a_time_and_left_alone(fold: Fold) -> None:
    p = posterior((2, 5, 6, 7))
    before, taken = p.clone(), []

    def one_at_a_time() -> Iterator[Tensor]:
        for number, sample in enumerate(p):
            taken.append(number)
            yield sample

    fold(one_at_a_time())
    assert taken == list(range(7))
    assert torch.equal(p, before)


@pytest.mark.parametrize("fold", [bald, mean_standard_deviation, variation_ratio, vote_entropy])
@pytest.mark.parametrize("samples", [1, 3, 20])
def test_samples_that_agree_show_no_disagreement_at_all(fold: Fold, samples: int) -> None:
    """Exactly none: a difference of rounded sums would order the pool by rounding."""
    same = posterior((50, 10), 1)[0]
    assert fold(iter([same] * samples)).tolist() == [0.0] * 50


@pytest.mark.parametrize("fold", [variation_ratio, vote_entropy])
def test_the_same_votes_tie_exactly_whoever_casts_them_for_whatever(fold: Fold) -> None:
    g, scores = torch.Generator().manual_seed(0), set()
    for _ in range(50):
        who, what = torch.randperm(7, generator=g), torch.randperm(4, generator=g)
        cast = what[torch.tensor([0, 0, 0, 1, 1, 2, 3])[who]]
        scores.add(float(fold(iter(torch.eye(4)[cast][:, None]))))
    assert len(scores) == 1


@pytest.mark.parametrize("fold", [variation_ratio, vote_entropy])
def test_untying_orders_equals_by_the_mean_and_moves_nothing_else(fold: Fold) -> None:
    p = posterior((400, 10), samples=5)
    plain, resolved = fold(iter(p)), fold(iter(p), break_ties=True)  # type: ignore[call-arg]
    assert len(set(plain.tolist())) <= 7
    assert len(set(resolved.tolist())) > 390
    order = resolved.argsort(descending=True)
    assert plain[order].diff().le(0).all()
    best = plain[order] == plain[order][0]
    assert entropy(p.mean(0))[order][best].diff().le(5e-5).all()


def members(*groups: tuple[int, Tensor]) -> Iterator[Tensor]:
    """So many members for each prediction `(B, C, *spatial)`."""
    return iter([prediction for count, prediction in groups for _ in range(count)])


def test_untying_changes_no_order_of_large_committees() -> None:
    """Of nine members 5-4 is a little more than 7-1-1, whose mean is the less sure one."""
    sure, unsure = 50 * torch.eye(3), 0.4 * torch.eye(3)
    cast = [(5, 0, 0), (2, 1, 0), (1, 1, 1), (1, 1, 2)]
    groups = [(count, torch.stack((sure[left], unsure[right])).softmax(1)) for count, left, right in cast]
    plain, resolved = (vote_entropy(members(*groups), break_ties=break_ties) for break_ties in (False, True))
    assert plain.tolist() == pytest.approx([0.6870, 0.6837], abs=1e-4)
    assert resolved[0] > resolved[1]


@pytest.mark.parametrize("fold", [variation_ratio, vote_entropy])
@pytest.mark.parametrize("rule", ["mean", "max", "sum", "top"])
def test_a_disputed_scene_comes_before_an_unsure_one_that_all_agree_on(fold: Fold, rule: Reduction) -> None:
    """Five sure members of whom one disputes 2 % of the first scene's pixels; all say 60 % everywhere of the second."""
    sure, unsure = torch.tensor([0.999, 0.001]), torch.tensor([0.6, 0.4])
    agreed = torch.stack((sure, unsure))[:, :, None, None].expand(2, 2, 100, 100)
    disputed = agreed.clone()
    disputed[0, :, :2] = disputed[0, :, :2].flip(0)
    scores = reduced(fold(members((4, agreed), (1, disputed)), break_ties=True), rule)  # type: ignore[call-arg]
    assert scores[0] > scores[1]
    # Where the votes are the same, the less sure one comes first.
    alike = torch.stack((agreed[0], agreed[1]))
    first, second = reduced(fold(members((5, alike)), break_ties=True), rule).tolist()  # type: ignore[call-arg]
    assert second > first


def test_no_sample_is_a_broken_invariant() -> None:
    for fold in FOLDS:
        with pytest.raises(AssertionError, match="no posterior samples"):
            fold(iter(()))


def test_one_class_has_no_margin() -> None:
    assert margin(torch.ones(3, 1)).tolist() == [0.0] * 3
    assert margin(torch.ones(3, 1, 2, 2)).tolist() == [[[0.0] * 2] * 2] * 3


@pytest.mark.parametrize(("rule", "expected"), [("mean", 0.25), ("max", 1.0), ("sum", 1.0), ("top", 0.5)])
def test_pixels_reduce_to_an_image_by_hand(rule: Reduction, expected: float) -> None:
    assert reduced(torch.tensor([[[0.0, 1.0], [0.0, 0.0]]]), rule, share=0.5).tolist() == [expected]


@pytest.mark.parametrize("rule", ["mean", "max", "sum", "top"])
def test_pixels_reduce_as_numpy_reduces_them(rule: Reduction) -> None:
    scores = torch.rand(6, 9, 11, generator=torch.Generator().manual_seed(0))
    for image, found in zip(scores, reduced(scores, rule, share=0.1).tolist(), strict=True):
        pixels = np.sort(image.double().numpy(), axis=None)[::-1]
        top = pixels[: math.ceil(len(pixels) * 0.1)]
        by_numpy = {"mean": pixels.mean(), "max": pixels.max(), "sum": pixels.sum(), "top": top.mean()}[rule]
        assert found == pytest.approx(by_numpy, rel=1e-6)


def test_scores_of_images_need_no_reduction() -> None:
    assert reduced(torch.tensor([0.25, 0.5]), "sum").tolist() == [0.25, 0.5]
