from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from pickwell.report.runs import Report, RoundRow, Run
from pickwell.report.text.summary import mean_share, summary, warnings

Make = Callable[..., Report]


def report(*runs: Run, **more: object) -> Report:
    return replace(Report("t", "s", runs), **more)  # type: ignore[arg-type]


def points(value: float) -> str:
    return f"{100 * value:+.1f}".replace("-", "\N{MINUS SIGN}")


def lone(strategy: str, seed: int, accuracy: float | None, labels: int = 140, **more: object) -> Run:
    return Run(strategy, seed, (RoundRow(0, labels, accuracy, **more),))  # type: ignore[arg-type]


def test_the_summarys_numbers_are_scipys(example: Make) -> None:
    made = example()
    final = {n: [r.rounds[-1].accuracy for r in made.runs if r.strategy == n] for n in ("vaal-diverse", "random")}
    ours, theirs = (np.array(final[name]) for name in ("vaal-diverse", "random"))
    low, high = stats.ttest_rel(ours, theirs).confidence_interval(0.95)
    told = next(sentence for sentence in summary(made) if "vaal-diverse reaches" in sentence)
    assert f"After 140 labels vaal-diverse reaches {ours.mean():.3f}, random {theirs.mean():.3f}" in told
    shown = f"95 % interval {points(low)} to {points(high)}, 5 paired seeds"
    assert f"difference {points((ours - theirs).mean())} points ({shown})" in told


def test_an_interval_that_crosses_zero_is_not_called_a_difference() -> None:
    ours, theirs = [0.90, 0.88, 0.93], [0.89, 0.90, 0.91]
    runs = [lone("vaal", s, ours[s]) for s in range(3)] + [lone("random", s, theirs[s]) for s in range(3)]
    low, high = stats.ttest_rel(ours, theirs).confidence_interval(0.95)
    (told,) = summary(report(*runs))
    shown = f"{points(low)} to {points(high)}"
    assert f"not separable, difference +0.3 points (95 % interval {shown}, 3 paired seeds)" in told


def test_one_seed_is_told_to_be_one() -> None:
    (told,) = summary(report(lone("vaal", 0, 0.9), lone("random", 0, 0.8)))
    assert "difference +10.0 points (one seed, so no interval)" in told


def test_without_a_baseline_each_strategy_is_told_alone() -> None:
    assert summary(report(lone("vaal", 0, 0.9, low=0.85, high=0.93))) == [
        "With 140 labels vaal reaches accuracy 0.900 (1 seed; 95 % interval 0.850 to 0.930)."
    ]


@pytest.mark.parametrize("accuracy", [None, float("nan")])
def test_nothing_measured_is_said(accuracy: float | None) -> None:
    assert summary(report(lone("vaal", 0, accuracy), metric="mean IoU")) == ["No mean IoU has been measured yet."]
    assert summary(report()) == ["No accuracy has been measured yet."]


def curve(strategy: str, step: int, *accuracies: float, seed: int = 0) -> Run:
    rows = (RoundRow(number, number * step, value) for number, value in enumerate(accuracies, start=1))
    return Run(strategy, seed, tuple(rows))


def test_without_an_equal_number_of_labels_the_numbers_are_told_and_no_difference() -> None:
    vaal, random = curve("vaal", 50, 0.6, 0.7, 0.8), curve("random", 20, 0.5, 0.55, 0.57, 0.59, 0.6, 0.65, 0.7)
    slow = replace(random, rounds=random.rounds[:3])
    alone = "With 150 labels vaal reaches accuracy 0.800 (1 seed)."
    never = (
        "vaal was measured with 50, 100 and 150 labels, random with 20, 40 and 60: never all with the same number, so "
        "no difference is told. To compare them, ask as many a round of both."
    )
    assert summary(report(vaal, slow)) == [alone, "With 60 labels random reaches accuracy 0.570 (1 seed).", never]
    assert summary(report(vaal, random)) == [
        "After 100 labels vaal reaches 0.700, random 0.600: difference +10.0 points (one seed, so no interval)."
    ]
    assert summary(report(vaal, slow, curve("badge", 20, 0.5, 0.55, 0.6)))[1:] == [alone, never]


def test_how_much_of_the_curve_is_compared_is_said() -> None:
    runs = [curve("vaal", 20, 0.5, 0.6, 0.7), curve("random", 20, 0.5, 0.5)]
    (told,) = summary(report(*runs))
    assert told.startswith("After 40 labels vaal reaches 0.600, random 0.500")
    assert told.endswith(
        "Over the 2 numbers of labels that both have: difference +5.0 points (one seed, so no interval)."
    )


def test_many_strategies_compared_with_other_numbers_of_labels_are_told_so() -> None:
    runs = [curve("random", 20, 0.5, 0.5 + s / 100, 0.6, seed=s) for s in range(3)]
    for name, step in {"a": 20, "b": 20, "c": 40, "d": 60}.items():
        runs += [curve(name, step, 0.6 + s / 50, 0.7, seed=s) for s in range(3)]
    told = summary(report(*runs))[0]
    assert told.startswith("After the last number of labels that each shares with random (40 to 60), by paired")


def test_many_strategies_are_sorted_by_verdict() -> None:
    noise = [0.004, -0.003, 0.001]
    levels = {"a": 0.9, "b": 0.9, "c": 0.7, "d": 0.8}
    runs = [lone("random", s, 0.8) for s in range(3)]
    runs += [lone(name, s, level + noise[s]) for name, level in levels.items() for s in range(3)]
    (told,) = summary(report(*runs))
    assert "above random: a and b; below random: c; not separable from random: d." in told
    assert "uncorrected" in told
    (told,) = summary(report(*(run for run in runs if run.seed == 0)))
    assert told.startswith("Each strategy has one seed, so no difference has an interval")


def test_the_share_is_told_beside_the_pools() -> None:
    rows = tuple(RoundRow(i, 40 + i, shares={"absent": share} if i else {}) for i, share in enumerate([0, 0.8, 0.6]))
    made = report(Run("vaal", 0, rows), marked=("7", "8"), pool_shares={"absent": 0.3})
    assert mean_share(made, "vaal") == pytest.approx(0.7)
    assert summary(made)[-1] == (
        "Share of the absent classes (7 and 8) among the picked images: 70 % for vaal; in the pool they are 30 %."
    )


def test_warnings_are_gathered_by_kind_with_how_often_they_were_seen() -> None:
    rows = tuple(
        RoundRow(i, 40 + i, monitors={"active_units": i, "warnings": [f"VAE collapsed: {i} of 16"] if i < 3 else []})
        for i in range(1, 5)
    )
    made = report(Run("vaal", 0, rows), warnings=("3 files could not be read",))
    assert warnings(made) == ["3 files could not be read", "vaal, in 2 of 4 queries: VAE collapsed: 2 of 16"]
