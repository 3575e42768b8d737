"""Greedy covers at a size where not all items are at hand, and the maximum cover."""

import tracemalloc

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import normalize

from pickwell.acquisition import coverage
from pickwell.acquisition.coverage import k_center, lower, maximum_cover


def naive_centres(features: Tensor, known: Tensor, budget: int) -> tuple[list[int], list[float]]:
    """The O(n^2) definition, in double precision."""
    everything = features.double()
    near = torch.cdist(everything, known.double()).amin(1)
    picks: list[int] = []
    gaps: list[float] = []
    for _ in range(budget):
        pick = int(near.argmax())
        picks.append(pick)
        gaps.append(float(near[pick]))
        near = torch.minimum(near, (everything - everything[pick]).norm(dim=1))
        near[pick] = -torch.inf
    return picks, gaps


def cloud(kind: str) -> Tensor:
    g = torch.Generator().manual_seed(7)
    if kind == "clusters":
        return 10 * torch.randn(12, 6, generator=g)[torch.randint(12, (500,), generator=g)] + torch.randn(
            500, 6, generator=g
        )
    # Far from the origin, where products of rows lose what tells them apart.
    return torch.randn(500, 40, generator=g) + (1000.0 if kind == "far" else 0.0)


@pytest.mark.parametrize("at_hand", [1, 2, 17, 100, 2048])
@pytest.mark.parametrize("block", [29, 64, 499, 500, 2048])
@pytest.mark.parametrize("kind", ["sphere", "clusters", "far"])
def test_k_center_equals_the_naive_version_on_500_points(
    kind: str, block: int, at_hand: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coverage, "CANDIDATES", at_hand)
    features = cloud(kind)
    picks, gaps = k_center(features[20:], features[:20], 60, block=block)
    expected, distances = naive_centres(features[20:], features[:20], 60)
    assert picks.tolist() == expected
    assert gaps.tolist() == pytest.approx(distances, rel=1e-6)


@pytest.mark.parametrize("at_hand", [1, 3, 10])
def test_real_ties_go_to_the_lowest_index_however_many_are_at_hand(
    at_hand: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coverage, "CANDIDATES", at_hand)
    line = torch.randint(0, 6, (60, 1), generator=torch.Generator().manual_seed(1)).float()
    picks, gaps = k_center(line, torch.tensor([[2.0]]), 60, block=7)
    assert picks.tolist() == naive_centres(line, torch.tensor([[2.0]]), 60)[0]
    assert gaps.diff().le(0).all()


def test_distances_are_exact_where_products_are_not() -> None:
    """Rows a thousandth apart and ten thousand from the origin: |x|^2 + |y|^2 - 2xy knows none of it."""
    g = torch.Generator().manual_seed(0)
    rows, centres = (1e4 + 1e-2 * torch.randn(n, 16, generator=g) for n in (50, 30))
    near = torch.full((50,), torch.inf)
    lower(near, rows, centres, torch.zeros(16))
    torch.testing.assert_close(near, torch.cdist(rows.double(), centres.double()).amin(1).float(), rtol=0, atol=0)


def test_a_cover_holds_a_few_blocks_in_memory(tmp_path: object) -> None:
    """40,000 x 64 features are 10 MB on disk; numpy is what reads them."""
    features = np.lib.format.open_memmap(f"{tmp_path}/features.npy", mode="w+", dtype=np.float32, shape=(40_000, 64))
    features[:] = np.random.default_rng(0).standard_normal(features.shape)
    tracemalloc.start()
    try:
        k_center(features, features[:10], 20, block=512)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3_000_000


def naive_cover(features: Tensor, candidates: list[int], budget: int) -> tuple[list[int], list[float]]:
    """Each step tries every candidate and works the whole objective out again."""
    unit = normalize(features.double())
    similarity = unit @ unit.T

    def objective(chosen: list[int]) -> float:
        return float(similarity[:, chosen].amax(1).mean()) if chosen else -1.0

    chosen: list[int] = []
    gains: list[float] = []
    for _ in range(budget):
        values = {c: objective([*chosen, c]) for c in sorted(candidates) if c not in chosen}
        best = max(values, key=lambda c: (round(values[c], 9), -c))
        gains.append(values[best] - objective(chosen))
        chosen.append(best)
    return chosen, gains


@pytest.mark.parametrize("block", [1, 13, 2048])
@pytest.mark.parametrize("seed", range(3))
def test_maximum_cover_equals_trying_everything(seed: int, block: int) -> None:
    g = torch.Generator().manual_seed(seed)
    features = torch.randn(120, 5, generator=g)
    candidates = torch.randperm(120, generator=g)[:50]
    picks, gains = maximum_cover(features, candidates, 20, block=block)
    expected, added = naive_cover(features, candidates.tolist(), 20)
    assert picks.tolist() == expected
    assert gains.tolist() == pytest.approx(added, abs=1e-6)
    assert gains.diff().le(1e-12).all()


def test_one_pick_of_each_cluster_covers_it_the_largest_first() -> None:
    directions = torch.eye(3).repeat_interleave(torch.tensor([2, 5, 3]), dim=0)
    picks, gains = maximum_cover(directions, torch.arange(10), 5)
    assert picks.tolist() == [2, 7, 0, 1, 3]
    assert gains.tolist() == pytest.approx([1.5, 0.3, 0.2, 0.0, 0.0])


def test_all_candidates_can_be_picked_once_each() -> None:
    picks, _ = maximum_cover(torch.ones(40, 3), torch.arange(39, -1, -1), 40)
    assert picks.tolist() == list(range(40))
