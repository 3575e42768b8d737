from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from pickwell.report.report import Report
from pickwell.report.text.claims import mean_share, summary, warnings
from pickwell.statistics.aubc import area
from pickwell.statistics.comparisons import holm
from pickwell.statistics.judgement import judge
from pickwell.statistics.runs import RoundRow, Run

Make = Callable[..., Report]


def report(*runs: Run, **more: object) -> Report:
    return replace(Report("t", "s", runs), **more)  # type: ignore[arg-type]


def told(made: Report) -> list[str]:
    return summary(judge(made.runs, made.baseline), {"": made})


def lone(strategy: str, seed: int, accuracy: float | None, labels: int = 140, **more: object) -> Run:
    return Run(strategy, seed, (RoundRow(0, labels, accuracy, **more),))  # type: ignore[arg-type]


def test_the_summarys_numbers_are_scipys(example: Make) -> None:
    made = example()
    areas = {n: [area(r.curve) for r in made.runs if r.strategy == n] for n in ("vaal-diverse", "vaal", "random")}
    pairs = [("vaal", "random"), ("vaal-diverse", "random"), ("vaal-diverse", "vaal")]
    corrected = holm([float(stats.ttest_rel(areas[a], areas[b]).pvalue) for a, b in pairs])
    low, high = stats.ttest_rel(areas["vaal"], areas["random"]).confidence_interval(0.95)
    mean = np.mean(areas["vaal"]) - np.mean(areas["random"])
    shown = f"+{100 * mean:.1f} ± {50 * (high - low):.1f} points of AUBC, corrected p = {corrected[0]:.3f}."
    assert told(made)[0] == f"vaal is not separable from random at 5 seeds: difference {shown}"
    assert told(made)[1].startswith("vaal-diverse is above random at 5 seeds: +")
    last = [r.curve[140] for r in made.runs if r.strategy == "random"]
    assert f"With 140 labels random reaches accuracy {np.mean(last):.3f} (5 seeds; 95 % interval" in told(made)[2]


def test_an_interval_that_crosses_zero_is_not_called_a_difference() -> None:
    ours, theirs = [0.90, 0.88, 0.93], [0.89, 0.90, 0.91]
    runs = [lone("vaal", s, ours[s]) for s in range(3)] + [lone("random", s, theirs[s]) for s in range(3)]
    found = stats.ttest_rel(ours, theirs)
    low, high = found.confidence_interval(0.95)
    said = f"difference +0.3 ± {50 * (high - low):.1f} points of AUBC, corrected p = {found.pvalue:.3f}."
    assert told(report(*runs))[0] == f"vaal is not separable from random at 3 seeds: {said}"


def test_one_seed_claims_nothing() -> None:
    assert told(report(lone("vaal", 0, 0.9), lone("random", 0, 0.8))) == [
        "vaal and random cannot be tested (one seed): difference +10.0 points of AUBC.",
        "With 140 labels vaal reaches accuracy 0.900 (1 seed).",
        "With 140 labels random reaches accuracy 0.800 (1 seed).",
    ]
    many = report(*(lone(name, 0, 0.8) for name in ("random", "a", "b", "c", "d", "e")))
    assert told(many) == ["Each method has one seed, so nothing is claimed: another seed may order them otherwise."]


def test_without_a_baseline_each_strategy_is_told_alone() -> None:
    assert told(report(lone("vaal", 0, 0.9, low=0.85, high=0.93))) == [
        "With 140 labels vaal reaches accuracy 0.900 (1 seed; 95 % interval 0.850 to 0.930)."
    ]


@pytest.mark.parametrize("accuracy", [None, float("nan")])
def test_nothing_measured_is_said(accuracy: float | None) -> None:
    assert told(report(lone("vaal", 0, accuracy), metric="mean IoU")) == ["No mean IoU has been measured yet."]
    assert told(report()) == ["No accuracy has been measured yet."]


def curve(strategy: str, step: int, *accuracies: float, seed: int = 0) -> Run:
    rows = (RoundRow(number, number * step, value) for number, value in enumerate(accuracies, start=1))
    return Run(strategy, seed, tuple(rows))


def test_without_an_equal_number_of_labels_the_numbers_are_told_and_no_difference() -> None:
    vaal, random = curve("vaal", 50, 0.6, 0.7, 0.8), curve("random", 20, 0.5, 0.55, 0.57, 0.59, 0.6, 0.65, 0.7)
    slow = replace(random, rounds=random.rounds[:3])
    ends = [
        "With 150 labels vaal reaches accuracy 0.800 (1 seed).",
        "With 60 labels random reaches accuracy 0.570 (1 seed).",
    ]
    never = (
        "vaal was measured with 50, 100 and 150 labels, random with 20, 40 and 60: never all with the same number, so "
        "no difference is told. To compare them, ask as many a round of both."
    )
    assert told(report(vaal, slow)) == [never, *ends]
    assert told(report(vaal, random))[0] == (
        "vaal and random cannot be tested (one seed): difference +10.0 points of AUBC over the 1 number of labels "
        "that both have."
    )
    assert told(report(vaal, slow, curve("badge", 20, 0.5, 0.55, 0.6)))[0] == never


def test_how_much_of_the_curve_is_compared_is_said() -> None:
    runs = [curve(name, 20, 0.5 + gain, 0.5, *rest, seed=seed) for name, gain, rest in (
        ("vaal", 0.1, (0.7,)), ("random", 0.0, ())) for seed in (0, 1)]  # fmt: skip
    assert told(report(*runs))[0].endswith(
        "the same difference in every seed): difference +5.0 points of AUBC over the 2 numbers of labels that both "
        "have."
    )


def test_the_share_is_told_beside_the_pools() -> None:
    rows = tuple(RoundRow(i, 40 + i, shares={"absent": share} if i else {}) for i, share in enumerate([0, 0.8, 0.6]))
    made = report(Run("vaal", 0, rows), marked=("7", "8"), pool_shares={"absent": 0.3})
    assert mean_share(made, "vaal") == pytest.approx(0.7)
    assert told(made)[-1] == (
        "Share of the absent classes (7 and 8) among the picked images: 70 % for vaal; in the pool they are 30 %."
    )


def test_warnings_are_gathered_by_kind_with_how_often_they_were_seen() -> None:
    rows = tuple(
        RoundRow(i, 40 + i, monitors={"active_units": i, "warnings": [f"VAE collapsed: {i} of 16"] if i < 3 else []})
        for i in range(1, 5)
    )
    made = report(Run("vaal", 0, rows), warnings=("3 files could not be read",))
    assert warnings(made) == ["3 files could not be read", "vaal, in 2 of 4 queries: VAE collapsed: 2 of 16"]
