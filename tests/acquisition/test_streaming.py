"""TopB against a full sort."""

import random
import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pickwell.acquisition.streaming import TopB, check_budget, in_chunks, in_even_chunks, refuse_nan
from pickwell.errors import BudgetError, TrainingError

# Few distinct values, so that ties at the edge of the budget are the rule.
streams = st.lists(st.sampled_from([-float("inf"), -1.0, -0.0, 0.0, 0.5, 1.0, float("inf")]), min_size=1, max_size=80)


def reference(scores: list[float], b: int) -> list[int]:
    return sorted(range(len(scores)), key=lambda item: (-scores[item], item))[:b]


@settings(deadline=None)
@given(scores=streams, b=st.integers(1, 100), chunk=st.integers(1, 90), seed=st.integers(0, 99))
def test_equals_a_full_sort_for_any_order_and_chunking(scores: list[float], b: int, chunk: int, seed: int) -> None:
    order = list(range(len(scores)))
    random.Random(seed).shuffle(order)
    whole = TopB(b)
    for start in range(0, len(order), chunk):
        ids = torch.tensor(order[start : start + chunk])
        whole.update(ids, torch.tensor(scores)[ids])
    expected = reference(scores, b)
    assert whole.ids().tolist() == expected
    assert [(p.item, p.rank, p.score) for p in whole.picks()] == [
        (item, rank, scores[item]) for rank, item in enumerate(expected, start=1)
    ]


def test_holds_no_more_than_the_budget_and_a_chunk() -> None:
    best, generator = TopB(100), torch.Generator().manual_seed(0)
    for start in range(0, 200_000, 1000):
        # Rising scores are the worst case: every item beats all before it.
        best.update(torch.arange(start, start + 1000), start + torch.rand(1000, generator=generator))
        assert len(best._ids) <= 2 * 100 + 1000
    assert int(best.ids().min()) >= 199_000


def test_reading_the_picks_early_changes_nothing() -> None:
    best = TopB(2)
    best.update(torch.tensor([5]), torch.tensor([1.0]))
    assert [p.item for p in best.picks()] == [5]
    best.update(torch.tensor([4, 6, 9]), torch.tensor([1.0, 1.0, 0.0]))
    assert best.ids().tolist() == [4, 5]
    assert best.scores().tolist() == [1.0, 1.0]


def test_low_precision_scores_keep_their_value() -> None:
    best = TopB(1)
    best.update(torch.tensor([0]), torch.tensor([0.1], dtype=torch.bfloat16))
    assert best.picks()[0].score == float(torch.tensor(0.1, dtype=torch.bfloat16))


def test_a_score_that_is_not_a_number_is_refused() -> None:
    with pytest.raises(TrainingError, match=r"the score of item 8 is nan, not a number: .* lower learning rate"):
        TopB(1).update(torch.tensor([7, 8]), torch.tensor([0.0, torch.nan]))


def test_infinite_scores_can_be_compared_and_infinite_vectors_cannot() -> None:
    refuse_nan(torch.tensor([7, 8]), torch.tensor([torch.inf, -torch.inf]))
    with pytest.raises(TrainingError, match=r"a feature of item 8 is -inf, not a number: "):
        refuse_nan(torch.tensor([7, 8]), torch.tensor([[0.0, 1.0], [2.0, -torch.inf]]), "a feature")


@pytest.mark.parametrize(
    ("budget", "text"),
    [
        (0, "budget 0 is not a number of images; ask for at least 1"),
        (4, "budget 4 is larger than the 3 unlabelled images left; ask for at most 3"),
    ],
)
def test_a_budget_outside_the_pool_is_refused(budget: int, text: str) -> None:
    with pytest.raises(BudgetError, match=re.escape(text)):
        check_budget(budget, 3)
    check_budget(3, 3)


def test_no_budget_is_refused() -> None:
    with pytest.raises(BudgetError, match="budget 0"):
        TopB(0)


@settings(deadline=None)
@given(sizes=st.lists(st.integers(1, 9), max_size=9), size=st.integers(1, 12))
def test_chunks_hold_the_same_items_in_the_same_order(sizes: list[int], size: int) -> None:
    ids = torch.arange(sum(sizes))
    parts = list(zip(torch.split(ids, sizes), torch.split(ids * 2.0, sizes), strict=True)) if sizes else []
    chunks = list(in_chunks(parts, size))
    assert [i for part, _ in chunks for i in part.tolist()] == ids.tolist()
    assert [v for _, part in chunks for v in part.tolist()] == (ids * 2.0).tolist()
    assert all(len(part) == size for part, _ in chunks[:-1])
    assert all(0 < len(part) <= size for part, _ in chunks)


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_a_chunk_holds_images_of_one_size(batch: int) -> None:
    """Two scenes of a million pixels, then five of a quarter, then one large again: however they were read."""
    sizes = [(1024, 1024)] * 2 + [(512, 512)] * 5 + [(1024, 1024)]
    parts = []
    for size, ids in (((1024, 1024), [0, 1]), ((512, 512), [2, 3, 4, 5, 6]), ((1024, 1024), [7])):
        for part in torch.tensor(ids).split(batch):
            parts.append((part, torch.zeros(len(part), 3, 1, 1).expand(-1, -1, *size)))
    chunks = [(ids.tolist(), tuple(images.shape[2:])) for ids, images in in_even_chunks(parts)]
    assert [ids for ids, _ in chunks] == [[0], [1], [2, 3, 4, 5], [6], [7]]
    assert all(shape == sizes[ids[0]] for ids, shape in chunks)
