"""The strategies for few labels on vectors, by what they promise; defects of public codes among it."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor
from torch.nn.functional import normalize

from pickwell.acquisition.k_means import k_means, nearest_of_each
from pickwell.errors import SettingsError
from pickwell.strategies import create
from pickwell.strategies.maxherding import some_of
from pickwell.strategies.probcover import pure_radius
from pickwell.testing import FakeLearner, FakeView, blobs

FAMILY = ("maxherding", "uherding", "typiclust", "probcover", "dropquery")


class OfVectors(FakeLearner):
    """A linear model of vectors scaled to length 1; `asked` counts what it was asked."""

    def __init__(self, weight: Tensor) -> None:
        self.weight, self.asked = weight, 0

    def embed(self, images: Tensor) -> Tensor:
        return normalize(images)

    def predict(self, images: Tensor) -> Tensor:
        self.asked += len(images)
        # Row by row: a matrix product rounds differently with the number of rows.
        return (self.embed(images)[:, None] * self.weight).sum(2).softmax(1)


def clusters(sizes: Sequence[int], seed: int = 0, spread: float = 0.05, width: int = 16) -> Tensor:
    """Vectors about as many far points as there are sizes, one cluster after the other."""
    g = torch.Generator().manual_seed(seed)
    middles = normalize(torch.randn(len(sizes), width, generator=g))
    return torch.cat(
        [middle + spread * torch.randn(size, width, generator=g) for middle, size in zip(middles, sizes, strict=True)]
    )


def view(vectors: Tensor, labelled: Sequence[int] = (), seed: int = 0, batch_size: int = 16) -> FakeView:
    weight = torch.randn(3, vectors.shape[1], generator=torch.Generator().manual_seed(1)) * 3
    return FakeView(vectors, labelled, seed=seed, batch_size=batch_size, every=1, learner=OfVectors(weight))


def picked(name: str, seen: FakeView, budget: int, **settings: object) -> list[int]:
    return [pick.item for pick in create(name, settings).select(seen, budget)]


@pytest.mark.parametrize("name", FAMILY)
def test_a_first_round_has_an_image_of_every_cluster_and_asks_no_model(name: str) -> None:
    vectors = clusters([40, 30, 20, 10])
    seen = view(vectors)
    of = torch.repeat_interleave(torch.arange(4), torch.tensor([40, 30, 20, 10]))
    assert sorted(of[picked(name, seen, 4)].tolist()) == [0, 1, 2, 3]
    assert isinstance(seen.learner, OfVectors)
    assert seen.learner.asked == 0


@pytest.mark.parametrize("name", FAMILY)
def test_what_is_labelled_already_is_not_covered_again(name: str) -> None:
    vectors = clusters([40, 40, 40])
    of = torch.repeat_interleave(torch.arange(3), 40)
    assert sorted(of[picked(name, view(vectors, [0, 1, 2]), 2)].tolist()) == [1, 2] or name in ("uherding", "dropquery")


@pytest.mark.parametrize("name", FAMILY)
@pytest.mark.parametrize("labelled", [(), (3, 9)])
@pytest.mark.parametrize("vectors", [torch.ones(20, 4), torch.eye(4)[[0] * 10 + [1] * 10], clusters([19, 1])])
def test_copies_and_few_clusters_still_give_the_whole_budget_once_each(
    name: str, labelled: Sequence[int], vectors: Tensor
) -> None:
    """Public codes pick an item twice, pick fewer than asked, or fail where rows are equal."""
    seen = view(vectors, labelled)
    for budget in (1, 7, len(seen.unlabelled)):
        items = picked(name, view(vectors, labelled), budget)
        assert len(set(items)) == len(items) == budget
        assert not set(items) & set(labelled)


@pytest.mark.parametrize("name", FAMILY)
def test_picks_do_not_depend_on_how_the_pool_is_read_or_on_queries_before(name: str) -> None:
    """A public ProbCover keeps the distances of its first query, and answers another pool from them."""
    vectors, others = clusters([30, 30, 40], spread=0.3), clusters([50, 50], seed=3)
    strategy = create(name)
    strategy.select(view(others, [1]), 5)
    again = [pick.item for pick in strategy.select(view(vectors, [0, 40], batch_size=7), 9)]
    assert again == picked(name, view(vectors, [0, 40]), 9)


@pytest.mark.parametrize("name", FAMILY)
def test_images_without_labels_are_refused_with_a_sentence(name: str) -> None:
    with pytest.raises(SettingsError, match="nothing is labelled yet, and images have no features"):
        create(name).select(FakeView(blobs(), []), 3)


@pytest.mark.parametrize("name", FAMILY)
def test_a_class_that_nobody_has_labelled_harms_nothing(name: str) -> None:
    seen = view(clusters([30, 30, 30]), [0, 1])
    seen.learner.weight[2] = -100.0  # never predicted
    assert len(set(picked(name, seen, 12))) == 12


def test_uherding_covers_what_the_model_is_unsure_of() -> None:
    vectors = torch.eye(2).repeat_interleave(50, 0) + 0.01 * torch.randn(100, 2)
    seen = view(vectors, [0, 50])
    seen.learner.weight = torch.tensor([[8.0, 0.0], [-8.0, 0.0]])  # sure of the first cluster alone
    unsure = create("uherding")._measured(seen, seen.unlabelled)[1]  # type: ignore[attr-defined]
    assert unsure[:49].mean() < 0.1 < unsure[49:].mean()
    assert all(item > 50 for item in picked("uherding", seen, 3, reach=0.3))


def test_maxherding_is_uherding_with_equal_weights() -> None:
    vectors = clusters([40, 40, 20], spread=0.4)
    seen = view(vectors, [0, 41])
    seen.learner.weight = torch.zeros(3, 16)  # all classes the same of every image
    assert picked("uherding", seen, 9) == picked("maxherding", view(vectors, [0, 41]), 9, reach=0.7)


def test_typiclust_takes_the_densest_of_the_largest_cluster_and_passes_over_small_ones() -> None:
    vectors = clusters([60, 30, 3], spread=0.1)
    (first, second, third) = picked("typiclust", view(vectors), 3)
    assert first < 60 <= second < 90  # the third cluster holds three images alone
    assert third < 90
    rows = normalize(vectors)
    distances = torch.cdist(rows[:60], rows[:60]).sort(1).values[:, 1:21].mean(1)
    assert first == int(distances.argmin())


def test_the_radius_leaves_that_share_of_balls_pure() -> None:
    rows = normalize(clusters([50, 50, 50], spread=0.25))
    g = torch.Generator().manual_seed(0)
    radius = pure_radius(rows, 3, 0.9, g)
    of, _ = k_means(rows, 3, torch.Generator().manual_seed(0))
    near = torch.cdist(rows.double(), rows.double()) <= radius
    pure = (~near | (of[:, None] == of)).all(1).double().mean()
    assert pure == pytest.approx(0.9, abs=0.01)


def test_probcover_takes_the_ball_that_holds_most_and_its_score_is_what_it_covers() -> None:
    vectors = clusters([60, 30, 10], spread=0.02)
    picks = create("probcover").select(view(vectors), 3)
    assert [pick.score for pick in picks] == pytest.approx([0.6, 0.3, 0.1], abs=0.05)
    assert sum(pick.score for pick in picks) == pytest.approx(1)
    seen = view(vectors, [0])  # its model knows three classes: as many clusters, whatever the budget
    assert [pick.score for pick in create("probcover").select(seen, 4)] == pytest.approx(
        [30 / 99, 10 / 99, 0, 0], abs=0.05
    )
    assert create("probcover").select(seen, 6)[-1].score == 0


def test_dropquery_picks_among_those_that_change_their_class() -> None:
    vectors = clusters([40, 40], width=16)
    seen = view(vectors, [0, 40])
    seen.learner.weight = torch.stack((vectors[0], vectors[40], torch.zeros(16))) * 50
    unsure = create("dropquery")._unsure(view(vectors, [0, 40]))  # type: ignore[attr-defined]
    assert 0 < unsure.sum() < len(unsure)
    ids = torch.tensor([at for at in range(80) if at not in (0, 40)])
    few = picked("dropquery", view(vectors, [0, 40]), 5)
    assert set(few) <= set(ids[unsure].tolist()) or int(unsure.sum()) < 5


def test_k_means_finds_what_is_apart_and_reports_squared_distances() -> None:
    rows = clusters([30, 20, 10])
    assigned, squares = k_means(rows, 3, torch.Generator().manual_seed(0))
    assert sorted(torch.bincount(assigned).tolist()) == [10, 20, 30]
    for cluster in range(3):
        mine = rows[assigned == cluster].double()
        expected = (mine - mine.mean(0)).square().sum(1)
        assert squares[assigned == cluster].numpy() == pytest.approx(expected.numpy(), abs=1e-3)


def test_the_nearest_of_each_comes_before_any_second_one() -> None:
    assigned = torch.tensor([0, 0, 1, 1, 1, 2])
    places, scores = nearest_of_each(assigned, torch.tensor([2.0, 1, 3, 1, 2, 9]), 6)
    assert places.tolist() == [3, 1, 5, 4, 0, 2]
    assert scores.tolist() == sorted(scores.tolist(), reverse=True)


@pytest.mark.parametrize(
    ("pool", "labels", "budget", "measured", "candidates"),
    [
        (8_192, 100, 20, 8_192, None),
        (16_384, 100, 20, 16_384, 4_096),
        (32_768, 100, 20, 32_768, 2_048),
        (50_000, 1_000, 100, 32_768, 2_048),
        (100_000, 1_000, 1_000, 64_000, 8_000),
        (100_000, 9_900, 100, 80_000, 838),
    ],
)
def test_of_a_large_pool_a_part_stands_for_all(
    pool: int, labels: int, budget: int, measured: int, candidates: int | None
) -> None:
    vectors = torch.zeros(pool + labels, 1)
    found, places = some_of(view(vectors, range(labels)), budget)
    assert len(found) == measured
    assert found.ids().unique().tolist() == found.ids().tolist()
    assert candidates == (None if places is None else len(places))


def test_a_model_that_is_sure_of_everything_leaves_a_plain_cover() -> None:
    """Where one class alone is labelled all weights are 0: the first ids would be picked."""
    seen = view(clusters([40, 40, 40]), [0])
    seen.learner.weight = torch.zeros(1, 16)  # one class: no second one to be unsure of
    of = torch.repeat_interleave(torch.arange(3), 40)
    assert sorted(of[picked("uherding", seen, 2)].tolist()) == [1, 2]
