"""Greedy covers against their definitions."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from pickwell.acquisition.coverage import k_center


def naive(features: Tensor, centres: Tensor | None, budget: int) -> list[int]:
    everything, known = features.double(), features[:0].double() if centres is None else centres.double()
    chosen: list[int] = []
    for _ in range(budget):
        distances = (everything[:, None] - torch.cat((known, everything[chosen]))).norm(dim=2)
        values = distances.amin(1).tolist() if distances.shape[1] else [1.0] * len(features)
        chosen.append(max((i for i in range(len(values)) if i not in chosen), key=lambda i: (values[i], -i)))
    return chosen


@settings(deadline=None)
@given(
    seed=st.integers(0, 999),
    count=st.integers(1, 40),
    known=st.integers(0, 9),
    block=st.integers(1, 45),
    grid=st.booleans(),
    share=st.floats(0, 1),
)
def test_k_center_equals_the_naive_greedy_for_any_block(
    seed: int, count: int, known: int, block: int, grid: bool, share: float
) -> None:
    g = torch.Generator().manual_seed(seed)
    # On a line of whole numbers every distance is exact, so ties are real ties.
    features = torch.randint(0, 5, (count, 1), generator=g).float() if grid else torch.randn(count, 3, generator=g)
    centres = torch.randn(known, features.shape[1], generator=g).round() if known else None
    budget = max(1, int(share * count))
    picks, _ = k_center(features, centres, budget, block=block)
    assert picks.tolist() == naive(features, centres, budget)


def test_the_gaps_are_the_distances_at_each_pick() -> None:
    features = torch.tensor([[0.0], [1.0], [5.0], [9.0]])
    picks, gaps = k_center(features, torch.tensor([[0.0]]), 4)
    assert picks.tolist() == [3, 2, 1, 0]
    assert gaps.tolist() == [9.0, 4.0, 1.0, 0.0]


def test_without_centres_the_first_pick_is_the_first_item_then_the_farthest() -> None:
    picks, gaps = k_center(torch.tensor([[0.0], [1.0], [7.0]]), None, 2)
    assert picks.tolist() == [0, 2]
    assert gaps.tolist() == [torch.inf, 7.0]


def test_the_last_partial_block_can_be_picked() -> None:
    features = torch.zeros(10, 2)
    features[9] = 1
    assert k_center(features, torch.zeros(1, 2), 1, block=4)[0].tolist() == [9]


def test_all_of_a_pool_of_copies_can_be_picked_once_each() -> None:
    assert k_center(torch.ones(7, 2), torch.ones(1, 2), 7, block=3)[0].tolist() == list(range(7))


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_features_may_lie_in_a_file(tmp_path: Path, dtype: type) -> None:
    features: npt.NDArray[np.floating] = (
        torch.randn(50, 4, generator=torch.Generator().manual_seed(1)).numpy().astype(dtype)
    )
    np.save(tmp_path / "features.npy", features)
    mapped = np.load(tmp_path / "features.npy", mmap_mode="r")
    on_disk, _ = k_center(mapped, mapped[:3], 9, block=7)
    in_memory, _ = k_center(torch.from_numpy(features), torch.from_numpy(features[:3]), 9)
    assert on_disk.tolist() == in_memory.tolist()
