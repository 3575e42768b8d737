"""The greedy kernel cover against its definition."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from pickwell.acquisition.kernel_cover import _Cover, kernel_bandwidth, kernel_cover, spaced
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
    at_once=st.integers(1, 200),
    share=st.floats(0, 1),
)
def test_every_pick_covers_most_and_its_gain_is_what_it_newly_covers(
    seed: int, count: int, known: int, at_once: int, share: float
) -> None:
    g = torch.Generator().manual_seed(seed)
    features, centres = torch.randn(count, 2, generator=g), torch.randn(known, 2, generator=g)
    weight = torch.rand(count, generator=g) + 0.1
    places, gains = kernel_cover(
        features, centres, max(1, int(share * count)), bandwidth=0.7, weight=weight, at_once=at_once
    )
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
@given(seed=st.integers(0, 99), at_once=st.integers(1, 4000), wanted=st.integers(12, 60))
def test_the_same_for_any_block(seed: int, at_once: int, wanted: int) -> None:
    g = torch.Generator().manual_seed(seed)
    features, centres = torch.randn(60, 3, generator=g), torch.randn(5, 3, generator=g)
    some = spaced(60, wanted)
    whole = kernel_cover(features, centres, 12, bandwidth=1.0, candidates=some)
    array = features.numpy().copy()
    array.flags.writeable = False
    parts = kernel_cover(array, centres.numpy(), 12, bandwidth=1.0, candidates=some, at_once=at_once)
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
    assert kernel_bandwidth(line, torch.zeros(0, 1), 10) == 5.0
    assert kernel_bandwidth(line, torch.full((40, 1), -1e6), 10, block=7) == 2.0


def test_a_neighbourhood_of_copies_is_still_a_width() -> None:
    assert kernel_bandwidth(torch.ones(9, 2), torch.ones(3, 2), 2) > 0


def test_a_gain_is_the_same_alone_and_among_others_on_any_number_of_threads() -> None:
    """Trap: threads share out the sum of a single row, but not those of several."""
    torch.manual_seed(0)
    items, before = torch.randn(200_000, 2), torch.get_num_threads()
    found = []
    try:
        for threads in (1, 4):
            torch.set_num_threads(threads)
            cover = _Cover(items, items[:3], 0.5, None, torch.arange(8), 2**22)
            found += [cover.gains, torch.cat([cover._gain(place) for place in torch.arange(8).split(1)])]
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(gains, found[0]) for gains in found)
