import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn.isotonic import isotonic_regression

from pickwell.report.text.claims import claim
from pickwell.statistics.aubc import area, first_rounds
from pickwell.statistics.comparisons import ALPHA, Comparison, compare, holm, shares, wins
from pickwell.statistics.estimates import Estimate
from pickwell.statistics.judgement import judge
from pickwell.statistics.label_savings import labels_saved, rising
from pickwell.statistics.runs import RoundRow, Run

LABELS = (100, 150, 200, 300)


def run(name: str, seed: int, labels: Sequence[int], values: Sequence[float], variant: str = "", **more: Any) -> Run:
    rows = tuple(RoundRow(at, n, v, **more) for at, (n, v) in enumerate(zip(labels, values, strict=True)))
    return Run(name, seed, rows, variant)


def made_up(
    rng: np.random.Generator, gains: dict[str, float], seeds: int = 5, noise: float = 0.01, variant: str = ""
) -> list[Run]:
    """Curves that share each seed's luck; a gain lifts all but the first point."""
    luck = rng.normal(0, 0.02, seeds)
    return [
        run(name, seed, LABELS, tuple(
            0.9 - 40 / n + luck[seed] + (gain if at else 0) + rng.normal(0, noise) for at, n in enumerate(LABELS)
        ), variant)
        for name, gain in gains.items() for seed in range(seeds)
    ]  # fmt: skip


def stepwise(p: list[float], weights: list[float], alpha: float) -> set[int]:
    """Holm's procedure by its own words: reject the smallest while p/w is at most alpha over the weight left."""
    left, rejected = set(range(len(p))), set()
    while left:
        best = min(left, key=lambda i: (p[i] / weights[i], i))
        if p[best] / weights[best] > alpha / sum(weights[i] for i in left):
            break
        rejected.add(best)
        left.remove(best)
    return rejected


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("weighted", [False, True])
def test_corrected_values_reject_what_holms_procedure_rejects(seed: int, weighted: bool) -> None:
    rng = np.random.default_rng(seed)
    p = (rng.uniform(size=8) ** 3).tolist()
    weights = rng.uniform(0.1, 1, 8).tolist() if weighted else [1.0] * 8
    corrected = holm(p, weights if weighted else None)
    for alpha in (0.01, 0.05, 0.2, 0.5):
        assert {i for i, value in enumerate(corrected) if value <= alpha} == stepwise(p, weights, alpha)


def test_holms_own_numbers() -> None:
    # multipletests of statsmodels and p.adjust of R give these.
    assert holm([0.01, 0.02, 0.03, 0.04, 0.05]) == pytest.approx([0.05, 0.08, 0.09, 0.09, 0.09])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    assert holm([]) == []


def test_the_area_is_the_mean_height_over_the_labels() -> None:
    curve = {100: 0.2, 150: 0.4, 250: 0.8}
    by_hand = (50 * 0.3 + 100 * 0.6) / 150
    assert area(curve) == pytest.approx(by_hand)
    assert first_rounds(1)(curve) == pytest.approx(0.3)
    assert area({100: 0.4}) == 0.4


def test_a_runs_curve_is_of_labels_paid_for_and_of_what_is_known() -> None:
    rows = (
        RoundRow(0, 40, 0.8),
        RoundRow(1, 60, math.nan),
        RoundRow(2, 80),
        RoundRow(3, 100, 0.9),
        RoundRow(4, 100, 0.7),
    )
    assert Run("vaal", 0, rows).curve == {40: 0.8, 100: 0.7}


def test_pairs_are_tested_as_scipy_tests_them() -> None:
    rng = np.random.default_rng(3)
    curves = made_up(rng, {"random": 0, "vaal": 0.03, "margin": 0.0})
    areas = {name: [area(c.curve) for c in curves if c.strategy == name] for name in ("random", "vaal", "margin")}
    found = {(c.first, c.second): c for c in compare(curves, "random")}
    assert set(found) == {("vaal", "random"), ("margin", "random"), ("vaal", "margin")}
    for (a, b), comparison in found.items():
        reference = stats.ttest_rel(areas[a], areas[b])
        low, high = reference.confidence_interval(0.95)
        assert comparison.p == pytest.approx(reference.pvalue)
        assert (comparison.estimate.low, comparison.estimate.high) == pytest.approx((low, high))
    # Two of the three pairs are asked first, so each has the third that it would have without weights.
    assert [c.corrected for c in found.values()] == pytest.approx(holm([c.p or 0 for c in found.values()]))


def test_half_of_alpha_is_for_what_is_asked_first() -> None:
    found = compare(made_up(np.random.default_rng(3), dict.fromkeys(("random", "a", "b", "c", "d"), 0.0)), "random")
    weights = [0.5 / 4 if c.second == "random" else 0.5 / 6 for c in found]
    assert [c.corrected for c in found] == pytest.approx(holm([c.p or 0 for c in found], weights))


def test_pairing_takes_the_luck_of_a_seed_out() -> None:
    rng = np.random.default_rng(0)
    curves = made_up(rng, {"random": 0, "vaal": 0.006}, seeds=6, noise=0.001)
    (found,) = compare(curves, "random")
    unpaired = stats.ttest_ind(*([area(c.curve) for c in curves if c.strategy == name] for name in ("vaal", "random")))
    assert found.verdict == 1
    assert unpaired.pvalue > 0.05


def test_a_missing_seed_leaves_its_pair_out() -> None:
    curves = made_up(np.random.default_rng(1), {"random": 0, "vaal": 0.02})
    (found,) = compare([c for c in curves if (c.strategy, c.seed) != ("vaal", 2)], "random")
    assert found.estimate.n == 4
    (none,) = compare([c for c in curves if (c.seed > 1) == (c.strategy == "vaal")], "random")
    assert (none.estimate.n, none.p, none.verdict) == (0, None, None)


def test_all_variants_are_one_family() -> None:
    rng = np.random.default_rng(5)
    curves = [c for v in ("a", "b") for c in made_up(rng, {"random": 0, "vaal": 0.01}, variant=v)]
    found = compare(curves, "random")
    assert [c.variant for c in found] == ["a", "b"]
    assert [c.corrected for c in found] == pytest.approx(holm([c.p or 0 for c in found]))


@pytest.mark.parametrize(("methods", "seeds"), [(3, 5), (4, 5), (8, 5), (4, 3), (10, 10)])
def test_without_any_effect_at_most_one_experiment_in_twenty_yields_any_claim(methods: int, seeds: int) -> None:
    # 200 experiments would not tell 4 % from 6 %: their count alone has a standard deviation of 1.5 %. So the same
    # tests, by scipy's routine, over 10,000 at once; `test_pairs_are_tested_as_scipy_tests_them` ties the two.
    rng = np.random.default_rng(methods)
    areas = rng.normal(0, 0.01, (methods, 10_000, seeds)) + rng.normal(0, 0.02, (10_000, seeds))
    pairs = list(itertools.combinations(range(methods), 2))
    p = np.array([stats.ttest_rel(areas[a], areas[b], axis=1).pvalue for a, b in pairs]).T
    weights = shares([a == 0 for a, _ in pairs])
    false = sum(min(holm(row, weights)) <= ALPHA for row in p)
    assert 0.03 * len(p) < false
    assert stats.binomtest(false, len(p), ALPHA, alternative="greater").pvalue > 0.01


def test_200_experiments_without_any_effect_through_the_whole_procedure() -> None:
    rng = np.random.default_rng(2026)
    methods = dict.fromkeys(("random", "core-set", "margin", "badge", "vaal", "vaal-diverse"), 0.0)
    false = sum(any(c.verdict for c in compare(made_up(rng, methods), "random")) for _ in range(200))
    assert stats.binomtest(false, 200, ALPHA, alternative="greater").pvalue > 0.05


def test_an_effect_is_found() -> None:
    rng = np.random.default_rng(7)
    found = {c.first: c for c in compare(made_up(rng, {"random": 0, "vaal": 0.05, "margin": 0}), "random")
             if c.second == "random"}  # fmt: skip
    assert found["vaal"].verdict == 1
    assert found["margin"].verdict == 0


def test_labels_saved_of_curves_known_in_closed_form() -> None:
    # Straight lines: random gains 0.1 per 100 labels, the other 0.2; both start at 0.5 with 100.
    labels = (100, 200, 300)
    curves = [
        run(name, seed, labels, tuple(0.5 + slope * (n - 100) for n in labels))
        for name, slope in (("random", 0.001), ("vaal", 0.002), ("slow", 0.0005)) for seed in range(3)
    ]  # fmt: skip
    saved = labels_saved(curves, "vaal", "random")
    assert saved is not None
    assert (saved.target, saved.needed) == pytest.approx((0.7, 200))
    assert (saved.images.mean, saved.images.low, saved.images.high) == pytest.approx((100, 100, 100))
    assert saved.share.mean == pytest.approx(100 / 300)
    slow = labels_saved(curves, "slow", "random")
    assert slow is not None
    assert slow.images.mean == pytest.approx(-100)
    assert slow.share.mean == pytest.approx(-100 / 200)
    same = labels_saved(curves, "random", "random")
    assert same is not None
    assert same.images.mean == 0


def test_nothing_is_saved_where_curves_fall_from_their_first_labels() -> None:
    levels = {"random": (0.8, 0.82, 0.85), "fallen": (0.8, 0.7, 0.75), "dented": (0.8, 0.78, 0.84)}
    curves = [run(name, seed, (12, 24, 36), heights) for name, heights in levels.items() for seed in range(3)]
    fallen, dented = (labels_saved(curves, name, "random") for name in ("fallen", "dented"))
    assert fallen is not None
    assert dented is not None
    # Made to rise it is level at its mean, below which random never was.
    assert fallen.idle
    assert (fallen.target, fallen.needed) == pytest.approx((0.75, 12))
    assert not dented.idle
    assert dented.needed == pytest.approx(36)


def test_curves_are_made_to_rise_as_by_scikit_learn() -> None:
    heights = np.random.default_rng(4).normal(0, 1, (7, 5, 9)) + np.linspace(0, 2, 9)
    expected = [[isotonic_regression(row) for row in part] for part in heights]
    assert rising(heights) == pytest.approx(np.array(expected), abs=1e-12)


def test_the_bootstrap_interval_covers_what_resampling_by_hand_gives() -> None:
    rng = np.random.default_rng(11)
    curves = made_up(rng, {"random": 0, "vaal": 0.03}, seeds=4, noise=0.005)
    saved = labels_saved(curves, "vaal", "random")
    assert saved is not None
    exact = []
    for rows in itertools.product(range(4), repeat=4):  # all 256 resamples there are
        again = [replace(c, seed=at) for at, row in enumerate(rows) for c in curves if c.seed == row]
        exact.append(_saved_of_means(again))
    assert saved.images.low == pytest.approx(np.percentile(exact, 2.5), abs=4)
    assert saved.images.high == pytest.approx(np.percentile(exact, 97.5), abs=4)


def _saved_of_means(curves: list[Run]) -> float:
    """Reads the labels off a fine grid: another way to the same number."""
    grid = np.linspace(LABELS[0], LABELS[-1], 20_001)
    lines = {}
    for name in ("vaal", "random"):
        mean = np.mean([[*c.curve.values()] for c in curves if c.strategy == name], axis=0)
        rising = np.array([np.max([np.min([mean[i : j + 1].mean() for j in range(k, len(mean))]) for i in range(k + 1)])
                           for k in range(len(mean))])  # fmt: skip
        lines[name] = np.interp(grid, LABELS, rising)
    target = min(line[-1] for line in lines.values())
    needed = {name: grid[np.argmax(line >= target - 1e-9)] for name, line in lines.items()}
    return float(needed["random"] - needed["vaal"])


def test_wins_count_variants() -> None:
    def one(first: str, second: str, mean: float, corrected: float, variant: str) -> Comparison:
        return Comparison(variant, first, second, Estimate(mean, mean - 1, mean + 1, 5), corrected, corrected)

    found = [one("a", "b", 0.1, 0.01, "x"), one("a", "b", 0.1, 0.2, "y"), one("a", "b", -0.1, 0.04, "z")]
    assert wins(found, ["a", "b"]) == {("a", "b"): (1, 3), ("b", "a"): (1, 3)}
    assert found[0].flipped().verdict == -1


def test_claims_say_what_the_data_support() -> None:
    def said(mean: float, half: float, corrected: float | None, n: int = 5) -> str:
        tested = corrected is not None
        estimate = Estimate(mean, mean - half if tested else None, mean + half if tested else None, n)
        return claim(Comparison("", "vaal", "random", estimate, corrected, corrected))

    assert (
        said(0.012, 0.005, 0.0121) == "vaal is above random at 5 seeds: +1.2 ± 0.5 points of AUBC, corrected p = 0.012"
    )
    assert said(-0.012, 0.005, 0.0001).startswith("vaal is below random at 5 seeds: \N{MINUS SIGN}1.2 ± 0.5 points")
    assert said(-0.012, 0.005, 0.0001).endswith("corrected p < 0.001")
    assert "not separable from random at 5 seeds: difference +0.4 ± 0.9 points" in said(0.004, 0.009, 0.4)
    # The interval of this one test excludes zero, the correction for all tests does not: no claim.
    assert "not separable" in said(0.012, 0.01, 0.08)
    assert "cannot be tested (one seed): difference +1.0 points" in said(0.01, 0, None, 1)
    varied = Comparison("as it is", "vaal", "random", Estimate(0.01, None, None, 1), None)
    assert claim(varied).startswith("With “as it is”, vaal and random cannot")


def test_query_times_are_medians_compared_with_vaals() -> None:
    seconds = {"vaal": (1.0, 3.0, 2.0), "random": (0.5, 0.5), "failed": ()}
    runs = [Run(name, 0, tuple(RoundRow(n, n, timings={"query": s, "fit": 2 * s}) for n, s in enumerate(each)))
            for name, each in seconds.items()]  # fmt: skip
    judged = judge(runs, "random")
    assert judged.times == {("", "vaal"): {"query": 2.0, "fit": 4.0}, ("", "random"): {"query": 0.5, "fit": 1.0},
                            ("", "failed"): {}}  # fmt: skip
    assert [judged.ratio(("", name)) for name in seconds] == [1.0, 0.25, None]
    assert judge(runs[1:], "random").ratio(("", "random")) is None
