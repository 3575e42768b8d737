"""The greedy kernel cover against its definition."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from pickwell.acquisition.kernel_cover import kernel_bandwidth, kernel_cover, spaced
from pickwell.errors import TrainingError


def covered(features: Tensor, centres: Tensor, weight: Tensor, bandwidth: float) -> float:
    """What the centres cover of the items."""
    share = weight.double() / weight.double().sum()
    kernel = torch.exp(-(features.double()[:, None] - centres.double()).square().sum(2) / (2 * bandwidth**2))
    return float((kernel.amax(1) * share).sum()) if len(centres) else 0.0


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 999),
    count=st.integers(1, 25),
    known=st.integers(0, 5),
    kept=st.sampled_from([0, 1 << 20]),
    share=st.floats(0, 1),
)
def test_every_pick_covers_most_and_its_gain_is_what_it_newly_covers(
    seed: int, count: int, known: int, kept: int, share: float
) -> None:
    g = torch.Generator().manual_seed(seed)
    features, centres = torch.randn(count, 2, generator=g), torch.randn(known, 2, generator=g)
    weight = torch.rand(count, generator=g) + 0.1
    places, gains = kernel_cover(features, centres, max(1, int(share * count)), bandwidth=0.7, weight=weight, kept=kept)
    assert len(set(places.tolist())) == len(places)
    left = set(range(count))
    for place, gain in zip(places.tolist(), gains.tolist(), strict=True):
        before = covered(features, centres, weight, 0.7)
        gain_of = {
            at: covered(features, torch.cat((centres, features[at : at + 1])), weight, 0.7) - before for at in left
        }
        assert gain == pytest.approx(gain_of[place], abs=1e-5)
        assert gain >= max(gain_of.values()) - 1e-5
        left.remove(place)
        centres = torch.cat((centres, features[place : place + 1]))


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 99), kept=st.sampled_from([0, 1 << 20]), side=st.integers(1, 70), wanted=st.integers(12, 60))
def test_the_same_for_any_block(seed: int, kept: int, side: int, wanted: int) -> None:
    g = torch.Generator().manual_seed(seed)
    features, centres = torch.randn(60, 3, generator=g), torch.randn(5, 3, generator=g)
    some = spaced(60, wanted)
    whole = kernel_cover(features, centres, 12, bandwidth=1.0, candidates=some)
    array = features.numpy().copy()
    array.flags.writeable = False
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pickwell.acquisition.kernel_cover.SIDE", side)
        parts = kernel_cover(array, centres.numpy(), 12, bandwidth=1.0, candidates=some, kept=kept)
    assert set(whole[0].tolist()) <= set(some.tolist())
    assert parts[0].tolist() == whole[0].tolist()
    assert parts[1].tolist() == whole[1].tolist()


def test_a_crowd_comes_before_an_outlier_and_what_is_labelled_is_not_covered_again() -> None:
    crowd, labelled, outlier = torch.zeros(5, 1), torch.full((9, 1), 10.0), torch.full((1, 1), 99.0)
    features = torch.cat((labelled, crowd, outlier))
    places, gains = kernel_cover(features, torch.tensor([[10.0]]), 2, bandwidth=1.0)
    assert places.tolist() == [9, 14]
    assert gains.tolist() == pytest.approx([5 / 15, 1 / 15])


def test_weights_decide_what_is_worth_covering() -> None:
    features = torch.tensor([[0.0], [0.0], [50.0]])
    places, gains = kernel_cover(features, torch.zeros(0, 1), 3, bandwidth=1.0, weight=torch.tensor([1.0, 1.0, 6.0]))
    assert places.tolist() == [2, 0, 1]
    assert gains.tolist() == pytest.approx([0.75, 0.25, 0.0])


def test_all_of_a_pool_of_copies_can_be_picked_once_each() -> None:
    assert kernel_cover(torch.ones(7, 2), torch.ones(1, 2), 7, bandwidth=1.0)[0].tolist() == list(range(7))


def test_few_candidates_still_cover_those_that_are_none() -> None:
    """A quarter of the items may be picked: they cover all much better than as many drawn by chance do."""
    g = torch.Generator().manual_seed(0)
    features, centres = torch.randn(1600, 8, generator=g), torch.randn(80, 8, generator=g)
    width, weight = kernel_bandwidth(features, centres, 80), torch.ones(1600)

    def share(places: Tensor) -> float:
        return covered(features, torch.cat((centres, features[places])), weight, width)

    chance = sum(share(torch.randperm(1600, generator=g)[:80]) for _ in range(5)) / 5
    best = share(kernel_cover(features, centres, 80, bandwidth=width)[0]) - chance
    among = kernel_cover(features, centres, 80, bandwidth=width, candidates=spaced(1600, 400))[0]
    assert share(among) - chance > 0.6 * best > 0.01


@pytest.mark.parametrize("what", ["features", "weight"])
def test_what_is_no_number_is_said(what: str) -> None:
    given = {"features": torch.randn(20, 2), "weight": torch.ones(20)}
    given[what][3] = torch.nan
    with pytest.raises(TrainingError, match="is nan, not a number"):
        kernel_cover(given["features"], torch.zeros(1, 2), 3, bandwidth=1.0, weight=given["weight"])


def test_a_neighbourhood_holds_an_equal_share_of_the_items() -> None:
    # 100 items a unit apart and 10 labels to come: ten to each, so the median one reaches five to each side.
    line = torch.arange(100.0)[:, None]
    assert kernel_bandwidth(line, torch.zeros(0, 1), 10) == pytest.approx(5.0)
    assert kernel_bandwidth(line, torch.full((40, 1), -1e6), 10) == pytest.approx(2.0, abs=0.03)


def test_a_neighbourhood_of_copies_is_still_a_width() -> None:
    assert kernel_bandwidth(torch.ones(9, 2), torch.ones(3, 2), 2) > 0


@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize(("block", "kept"), [(64, 0), (1024, 0), (1000, 1 << 30)])
def test_the_same_picks_for_any_block_and_number_of_threads(
    threads: int, block: int, kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Products of rows of many numbers, which kernels sum in an order that blocks and threads decide."""
    g = torch.Generator().manual_seed(0)
    features = torch.nn.functional.normalize(torch.randn(5000, 333, generator=g))
    expected = kernel_cover(features[40:], features[:40], 30, bandwidth=0.9)
    before = torch.get_num_threads()
    monkeypatch.setattr("pickwell.acquisition.kernel_cover.SIDE", block)
    try:
        torch.set_num_threads(threads)
        found = kernel_cover(features[40:], features[:40], 30, bandwidth=0.9, kept=kept)
    finally:
        torch.set_num_threads(before)
    assert torch.equal(found[0], expected[0])
    assert torch.equal(found[1], expected[1])


@pytest.mark.parametrize("seed", range(5))
def test_picks_are_those_of_a_plain_version_in_double_precision(seed: int) -> None:
    g = torch.Generator().manual_seed(seed)
    middles = torch.randn(25, 64, generator=g)
    features = torch.nn.functional.normalize(
        middles[torch.randint(25, (500,), generator=g)] + torch.randn(500, 64, generator=g)
    )
    weight = torch.rand(500, generator=g)
    kernel = torch.exp(-torch.cdist(features.double(), features.double()).square() / (2 * 0.6**2))
    covered, expected = torch.zeros(500, dtype=torch.float64), []
    for _ in range(20):
        gains = ((kernel - covered).clamp(min=0) * weight.double()).sum(1)
        expected.append(int(gains.argmax()))
        covered = torch.maximum(covered, kernel[expected[-1]])
    assert kernel_cover(features, features[:0], 20, bandwidth=0.6, weight=weight)[0].tolist() == expected


def test_what_is_given_is_left_as_it_was() -> None:
    features = torch.randn(50, 3)
    before = features.clone()
    kernel_cover(features, features[:5], 10, bandwidth=1.0, kept=0)
    assert torch.equal(features, before)
