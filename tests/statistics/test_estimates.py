import math

import numpy as np
import pytest
from scipy import stats

from pickwell.statistics.comparisons import compare
from pickwell.statistics.estimates import mean_interval, paired, points
from pickwell.statistics.intervals import wilson
from pickwell.statistics.judgement import judge
from pickwell.statistics.runs import RoundRow, Run, known, mean, measured_row, numbers

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


def test_pairs_are_compared_with_the_same_number_of_labels_whatever_their_rounds() -> None:
    quick = [run("vaal", s, 0.5, 0.7 + s / 10, 0.9, step=40) for s in range(2)]
    slow = [run("random", s, 0.5, 0.55, 0.6, 0.65, step=20) for s in range(2)]
    (found,) = compare([*quick, *slow], "random")
    # With 40 and 80 labels: the trapezoid over these two is the mean of both.
    assert (found.partly, found.estimate.n) == (2, 2)
    assert found.estimate.mean == pytest.approx((0.75 - 0.6) / 2)
    assert judge([*quick, *slow], "random").areas["", "random"].mean == pytest.approx((0.5 + 0.6) / 2)
    never = [run("vaal", 0, None, 0.9, step=50), run("random", 0, None, 0.6, 0.7, step=20)]
    assert compare(never, "random")[0].estimate.n == 0
    assert judge(never, "random").areas == {}


def test_the_difference_is_of_trapezoids_over_the_labels_that_all_paired_runs_share() -> None:
    def odd(strategy: str, seed: int, *accuracies: float | None) -> Run:
        return Run(strategy, seed, tuple(map(RoundRow, range(3), (40, 60, 160), accuracies)))

    runs = [odd("random", 0, 0.5, 0.6, 0.7), odd("random", 1, 0.5, 0.65, None), odd("random", 9, 0.1, 0.1)]
    runs += [odd("vaal", 0, 0.5, 0.7, 0.9), odd("vaal", 1, 0.6, 0.71), odd("vaal", 5, 1.0, 1.0)]
    (found,) = compare(runs, "random")
    assert (found.partly, found.estimate.n) == (2, 2)
    assert found.estimate.mean == pytest.approx((0.05 + 0.08) / 2)
    whole = [run for run in runs if run.seed == 0]
    (found,) = compare(whole, "random")
    # (20 * 0.05 + 100 * 0.15) / 120: the long step counts for five short ones.
    assert found.estimate.mean == pytest.approx(16 / 120)
    assert (found.partly, found.verdict) == (0, None)


def test_an_unmeasured_seed_holds_up_no_other() -> None:
    runs = [
        run(name, s, 0.5, None if (name, s) == ("random", 1) else 0.6) for name in ("vaal", "random") for s in (0, 1)
    ]
    runs += [run("vaal", 2, 0.7), run("random", 2, None)]
    (found,) = compare(runs, "random")
    assert (found.partly, found.estimate.n) == (1, 2)
    assert judge(runs, "random").areas["", "vaal"].mean == pytest.approx((0.5 + 0.5 + 0.7) / 3)


def test_runs_without_a_shared_seed_or_round_have_no_difference() -> None:
    (apart,) = compare([run("vaal", 0, 0.5), run("random", 1, 0.5)], "random")
    assert (apart.estimate.n, apart.p, apart.verdict) == (0, None, None)
    assert compare([run("vaal", 0, 0.5), run("random", 0, None)], "random") == []
    assert compare([], "random") == []


@pytest.mark.parametrize(("shift", "verdict"), [(0.05, 1), (-0.05, -1), (0.0, 0)])
def test_the_verdict_follows_the_corrected_test(shift: float, verdict: int) -> None:
    noise = [0.004, -0.003, 0.001, -0.004, 0.002]
    runs = [run("random", s, 0.8) for s in range(5)] + [run("vaal", s, 0.8 + shift + noise[s]) for s in range(5)]
    (found,) = compare(runs, "random")
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
    assert mean([1, None, math.nan, 2]) == 1.5
    assert mean([None]) is None


def test_a_row_of_masks_has_no_interval_and_one_of_classes_has() -> None:
    masks = measured_row(2, 8, {"mean_iou": 0.5, "pixel_accuracy": 0.8, "iou/sky": 0.9, "measured": 6}, "mean_iou")
    assert (masks.accuracy, masks.low, masks.pixel_accuracy, masks.class_scores) == (0.5, None, 0.8, {"sky": 0.9})
    classes = measured_row(2, 8, {"accuracy": 0.8, "measured": 10}, "accuracy", shares={"absent": 0.5})
    assert (classes.accuracy, classes.measured, classes.shares) == (0.8, 10, {"absent": 0.5})
    assert (classes.low, classes.high) == wilson(0.8, 10)
