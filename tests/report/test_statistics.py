import math

import numpy as np
import pytest
from scipy import stats

from pickwell.report.runs import RoundRow, Run, known, numbers
from pickwell.statistics.estimates import (
    curve_difference,
    final_difference,
    mean_interval,
    paired,
    points,
    shared_labels,
)
from pickwell.statistics.intervals import wilson

OURS, THEIRS = [0.93, 0.95, 0.92, 0.96, 0.94], [0.90, 0.93, 0.91, 0.91, 0.92]


def run(strategy: str, seed: int, *accuracies: float | None, step: int = 20) -> Run:
    return Run(strategy, seed, tuple(RoundRow(i, 40 + step * i, value) for i, value in enumerate(accuracies)))


def test_the_mean_has_students_interval() -> None:
    half = stats.t.ppf(0.975, 4) * np.std(OURS, ddof=1) / math.sqrt(5)
    found = mean_interval(OURS)
    assert (found.mean, found.low, found.high) == pytest.approx((0.94, 0.94 - half, 0.94 + half))
    assert found.n == 5


@pytest.mark.parametrize("values", [[0.9], [0.9, 0.9, 0.9]])
def test_one_value_or_equal_ones_give_no_interval(values: list[float]) -> None:
    found = mean_interval(values)
    assert found.mean == pytest.approx(0.9)
    assert (found.low, found.high) == (None, None)


def test_pairing_is_scipys_paired_test() -> None:
    reference = stats.ttest_rel(OURS, THEIRS)
    low, high = reference.confidence_interval(0.95)
    estimate, p = paired(OURS, THEIRS)
    assert (estimate.low, estimate.high, p) == pytest.approx((low, high, reference.pvalue))


def test_pairing_forgives_what_seeds_share() -> None:
    luck = np.array([0.0, 0.2, -0.1, 0.15, -0.2])
    estimate, _ = paired((luck + OURS).tolist(), (luck + THEIRS).tolist())
    assert estimate.low == pytest.approx(paired(OURS, THEIRS)[0].low)


def test_wilson_is_the_published_example() -> None:
    # 0 of 10 and 8 of 10, from Wilson's formula with z = 1.96.
    assert wilson(0.0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert wilson(0.8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)


@pytest.mark.parametrize("measured", [1, 2, 7, 50, 1797])
def test_wilson_is_scipys(measured: int) -> None:
    for right in {0, 1, measured // 3, measured - 1, measured}:
        expected = stats.binomtest(right, measured).proportion_ci(0.95, method="wilson")
        assert wilson(right / measured, measured) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_the_final_difference_is_of_shared_seeds_in_the_last_shared_round() -> None:
    runs = [run("random", 0, 0.5, 0.6, 0.7), run("random", 1, 0.5, 0.65, None), run("random", 9, 0.1, 0.1)]
    runs += [run("vaal", 0, 0.5, 0.7, 0.9), run("vaal", 1, 0.6, 0.71), run("vaal", 5, 1.0, 1.0)]
    found = final_difference(runs, "vaal", "random")
    assert found is not None
    assert found.estimate.mean == pytest.approx(((0.7 - 0.6) + (0.71 - 0.65)) / 2)
    assert (found.labels, found.estimate.n) == (60, 2)
    assert (found.ours, found.theirs) == pytest.approx((0.705, 0.625))


def test_the_difference_over_the_curve_is_of_means_over_rounds() -> None:
    runs = [run("random", s, 0.5, 0.6 + s / 100) for s in range(3)] + [run("vaal", s, 0.6, 0.8) for s in range(3)]
    found = curve_difference(runs, "vaal", "random")
    assert found is not None
    reference = stats.ttest_rel([0.7] * 3, [0.55, 0.555, 0.56])
    assert (found.estimate.mean, found.p) == pytest.approx((0.145, reference.pvalue))


def test_strategies_are_compared_with_the_same_number_of_labels_whatever_their_rounds() -> None:
    quick = [run("vaal", s, 0.5, 0.7 + s / 10, 0.9, step=40) for s in range(2)]
    slow = [run("random", s, 0.5, 0.55, 0.6, 0.65, step=20) for s in range(2)]
    final, curve = (compare([*quick, *slow], "vaal", "random") for compare in (final_difference, curve_difference))
    assert final is not None
    assert curve is not None
    assert (final.labels, curve.at) == (80, (40, 80))
    assert (final.ours, final.theirs) == pytest.approx((0.75, 0.6))
    assert curve.estimate.mean == pytest.approx((0.75 - 0.6) / 2)
    never = [run("vaal", 0, None, 0.9, step=50), run("random", 0, None, 0.6, 0.7, step=20)]
    assert final_difference(never, "vaal", "random") is None


def test_an_unmeasured_seed_holds_up_no_other() -> None:
    runs = [
        run(name, s, 0.5, None if (name, s) == ("random", 1) else 0.6) for name in ("vaal", "random") for s in (0, 1)
    ]
    runs += [run("vaal", 2, 0.7), run("random", 2, None)]
    found = curve_difference(runs, "vaal", "random")
    assert found is not None
    assert (found.at, found.estimate.n) == ((40,), 2)
    assert shared_labels(runs) == [40]


def test_runs_without_a_shared_seed_or_round_have_no_difference() -> None:
    assert final_difference([run("vaal", 0, 0.5), run("random", 1, 0.5)], "vaal", "random") is None
    assert final_difference([run("vaal", 0, 0.5), run("random", 0, None)], "vaal", "random") is None
    assert final_difference([], "vaal", "random") is None


@pytest.mark.parametrize(("shift", "verdict"), [(0.05, 1), (-0.05, -1), (0.0, 0)])
def test_the_verdict_follows_the_interval(shift: float, verdict: int) -> None:
    noise = [0.004, -0.003, 0.001, -0.004, 0.002]
    runs = [run("random", s, 0.8) for s in range(5)] + [run("vaal", s, 0.8 + shift + noise[s]) for s in range(5)]
    found = final_difference(runs, "vaal", "random")
    assert found is not None
    assert found.verdict == verdict


def test_points_skip_what_is_missing_and_keep_a_lone_runs_own_interval() -> None:
    rows = (RoundRow(0, 40, 0.8, 0.7, 0.9), RoundRow(1, 60, math.nan), RoundRow(2, 80, None))
    (point,) = points([Run("vaal", 0, rows)], lambda row: row.accuracy)
    assert (point.labels, point.estimate.mean, point.estimate.low, point.estimate.high) == (40, 0.8, 0.7, 0.9)


def test_a_lone_runs_interval_is_not_that_of_another_value() -> None:
    rows = (RoundRow(1, 60, 0.8, 0.7, 0.9, shares={"absent": 0.5}),)
    (point,) = points([Run("vaal", 0, rows)], lambda row: row.shares["absent"])
    assert point.estimate.low is None


def test_numbers_are_finite_floats_only() -> None:
    assert [known(v) for v in (1, np.float32(0.5), math.inf, math.nan, None, "1", True)] == [
        1.0, 0.5, None, None, None, None, None,
    ]  # fmt: skip
    assert numbers([1, None, math.nan, 2.5]) == [1.0, 2.5]
    assert numbers("12") == numbers(3) == numbers(None) == []
