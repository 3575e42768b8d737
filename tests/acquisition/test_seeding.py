"""k-means++ over factors equals k-means++ over the products written out."""

import tracemalloc

import numpy as np
import pytest
import torch
from scipy.stats import chisquare
from torch import Tensor

from pickwell.acquisition import features
from pickwell.acquisition.features import gathered
from pickwell.acquisition.kmeans_plus_plus import k_means_plus_plus


def factors(count: int, classes: int, size: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    g = torch.Generator().manual_seed(seed)
    p = (3 * torch.randn(count, classes, generator=g)).softmax(1)
    return p - torch.eye(classes)[p.argmax(1)], torch.randn(count, size, generator=g).relu()


def naive(left: Tensor, right: Tensor, budget: int, chances: list[float]) -> tuple[list[int], list[float]]:
    """The same draws on the n x (classes x features) matrix, in double precision."""
    vectors = np.einsum("nc,nd->ncd", left.double().numpy(), right.double().numpy()).reshape(len(left), -1)
    picks, potentials = [int((vectors**2).sum(1).argmax())], []
    while True:
        near = np.min([((vectors - vectors[pick]) ** 2).sum(1) for pick in picks], axis=0)
        potentials.append(near.mean())
        if len(picks) == budget:
            return picks, potentials
        heap = near.cumsum()
        picks.append(int(np.searchsorted(heap, chances[len(picks) - 1] * heap[-1], side="right")))


@pytest.mark.parametrize("block", [1, 7, 64, 8192])
@pytest.mark.parametrize("seed", range(3))
def test_equals_the_naive_version_that_writes_the_gradients_out(seed: int, block: int) -> None:
    left, right = factors(200, 10, 32, seed)
    chances = torch.rand(30, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).tolist()
    picks, potentials = k_means_plus_plus(left, right, 30, torch.Generator().manual_seed(seed), block=block)
    expected, left_over = naive(left, right, 30, chances)
    assert picks.tolist() == expected
    assert potentials.tolist() == pytest.approx(left_over, rel=1e-4)


def test_the_second_draw_is_weighted_by_squared_distance() -> None:
    left, right = torch.ones(4, 1), torch.tensor([[4.0], [3.0], [2.0], [0.0]])
    trials = 3000
    second = [int(k_means_plus_plus(left, right, 2, torch.Generator().manual_seed(s))[0][1]) for s in range(trials)]
    counts = torch.bincount(torch.tensor(second), minlength=4)
    assert counts[0] == 0
    assert chisquare(counts[1:].numpy(), np.array([1.0, 4.0, 16.0]) / 21 * trials).pvalue > 0.001


def test_copies_are_drawn_last_and_in_order() -> None:
    left, right = factors(3, 4, 5)
    copies = torch.tensor([0, 1, 2, 1, 0, 2, 2])
    picks = k_means_plus_plus(left[copies], right[copies], 7, torch.Generator().manual_seed(0))[0].tolist()
    assert sorted(copies[picks[:3]].tolist()) == [0, 1, 2]
    assert picks[3:] == sorted(picks[3:])
    assert sorted(picks) == list(range(7))


def test_copies_are_at_no_distance_whatever_products_round_to() -> None:
    left, right = factors(4, 10, 700)
    copies = torch.arange(4).repeat(9)
    picks, potentials = k_means_plus_plus(left[copies], right[copies], 6, torch.Generator().manual_seed(0), block=5)
    assert sorted(copies[picks[:4]].tolist()) == [0, 1, 2, 3]
    assert potentials[3:].tolist() == [0.0, 0.0, 0.0]


def test_nothing_of_the_gradients_size_is_made() -> None:
    """2,000 x 100 classes x 64 features would be 51 MB of gradients; the factors are 1.3 MB."""
    left, right = factors(2000, 100, 64)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        k_means_plus_plus(left, right, 3, torch.Generator().manual_seed(0), block=256)
    largest = max(event.self_cpu_memory_usage for event in profile.events() or [])
    assert 0 < largest < 1_000_000


def test_features_gather_on_a_file_that_takes_no_memory_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "IN_MEMORY", 2**20)
    tracemalloc.start()
    try:
        table = gathered((torch.full((100, 64), float(part)) for part in range(50)), torch.arange(5000))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert table.shape == (5000, 64)
    assert table[:, 0].tolist() == [float(part) for part in range(50) for _ in range(100)]
    assert peak < 500_000


def test_a_pool_that_shrinks_while_it_is_read_is_a_broken_invariant() -> None:
    with pytest.raises(AssertionError, match="3 feature vectors for 4 items"):
        gathered(iter([torch.zeros(3, 2)]), torch.arange(4))
    assert gathered(iter(()), torch.arange(0)).numel() == 0
