import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import vl_convert
from hypothesis import given
from hypothesis import strategies as st

from pickwell.report import comparison_figures, monitor_figures
from pickwell.report.chart_style import DARK, DASHES, LIGHT, Hue, Ink, hues, variables
from pickwell.report.class_grids import picks_by_class
from pickwell.report.figures import learning_curve, save, share_by_round
from pickwell.report.line_charts import CROWD, Figure, bounds, spaced
from pickwell.report.report import Report
from pickwell.statistics.estimates import Estimate
from pickwell.statistics.runs import RoundRow, Run

ALL = ("random", *(f"vaal{i}" for i in range(15)))
Make = Callable[..., Report]


def values(chart: Figure | None, mark: str) -> list[dict[str, Any]]:
    """The rows behind the last layer of that mark."""
    assert chart is not None
    spec = chart.to_dict()
    layers = [layer for layer in spec.get("layer", [spec]) if layer["mark"]["type"] == mark]
    return rows(spec, layers[-1])


def rows(spec: dict[str, Any], layer: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows behind a layer."""
    data = layer.get("data") or spec["data"]
    found: list[dict[str, Any]] = data["values"] if "values" in data else spec["datasets"][data["name"]]
    return found


def test_the_learning_curve_shows_means_intervals_and_seeds(example: Make) -> None:
    made = example(("random", "vaal"), 3)
    means = values(learning_curve(made), "point")
    assert len(means) == 2 * 6
    last = [run.rounds[-1].accuracy for run in made.runs if run.strategy == "vaal"]
    assert means[-1]["mean"] == pytest.approx(sum(map(float, (a or math.nan for a in last))) / 3)
    assert means[-1]["low"] < means[-1]["mean"] < means[-1]["high"]
    chart = learning_curve(made)
    assert chart is not None
    spec = chart.to_dict()
    thin = [layer for layer in spec["layer"] if layer["mark"].get("strokeWidth") == 1]
    assert len(rows(spec, thin[0])) == 2 * 3 * 6
    assert spec["title"]["text"] == "Accuracy by number of labels"


@pytest.mark.parametrize("level", [0.04, 0.96])
def test_an_interval_wider_than_all_accuracies_ends_at_0_and_1(level: float) -> None:
    rows = [(RoundRow(0, 40, 0.5), RoundRow(1, 60, level)), (RoundRow(0, 40, 0.4), RoundRow(1, 60, 0.5))]
    made = Report("t", "s", tuple(Run("vaal", seed, each) for seed, each in enumerate(rows)))
    chart = learning_curve(made)
    assert chart is not None
    assert chart.to_dict()["layer"][0]["encoding"]["y"]["scale"]["domain"] == [0.0, 1.0]
    assert values(chart, "area")[-1]["bounds"] == "0.000 to 1.000"


@pytest.mark.parametrize(("count", "said"), [(CROWD, True), (CROWD + 1, False)])
def test_faint_lines_are_told_of_where_they_are_drawn(example: Make, count: int, said: bool) -> None:
    made = example(tuple(f"vaal{i}" for i in range(count)), 2)
    draws = (learning_curve, share_by_round, monitor_figures.active_units, monitor_figures.discriminator_auc)
    for chart in (*(draw(made) for draw in draws), learning_curve(made, "a", ("full data", 0.99))):
        assert chart is not None
        assert chart.to_dict()["title"]["subtitle"].endswith(" Faint: single seeds.") is said


def test_a_line_under_another_is_told_to_be_the_same_and_leaders_show_whose_a_moved_name_is() -> None:
    same = {name: (RoundRow(1, 40, 0.5, monitors={"active_units": 32, "latent_units": 32}),) for name in ("a", "b")}
    other = (RoundRow(1, 40, 0.5, monitors={"active_units": 3, "latent_units": 32}),)
    made = Report("t", "s", tuple(Run(name, 0, each) for name, each in {**same, "c": other}.items()))
    ends = values(monitor_figures.active_units(made), "text")
    assert [row["name"] for row in ends] == ["a, the same", "b", "c"]
    leaders = values(monitor_figures.active_units(made), "rule")
    assert {row["end"] for row in leaders} == {32}


def test_the_share_has_the_pools_as_reference(example: Make) -> None:
    assert values(share_by_round(example(("vaal",), 2)), "rule") == [{"mean": 0.32}]
    assert share_by_round(replace(example(("vaal",), 1), group="minority")) is None


def test_picks_by_class_are_means_over_seeds(example: Make) -> None:
    made = example(("vaal",), 2)
    cells = {(c["class"], c["round"]): c["value"] for c in values(picks_by_class(made, "vaal"), "text")}
    counts = [run.rounds[3].class_counts["8"] for run in made.runs]
    assert cells[("• 8", 3)] == sum(counts) / 2
    assert len(cells) == 10 * 5
    for report, said in ((made, "Images of each class"), (replace(made, metric="mean IoU"), "Images that show each")):
        chart = picks_by_class(report, "vaal")
        assert chart is not None
        assert chart.title.subtitle.startswith(said)
        empty = any(not cell["words"] for cell in values(chart, "text"))
        assert ("; an empty cell: none" in chart.title.subtitle) is empty


def test_only_the_most_picked_of_many_classes_are_shown() -> None:
    counts = {f"class-{i}": i for i in range(100)}
    made = Report("t", "s", (Run("vaal", 0, (RoundRow(1, 60, class_counts=counts),)),))
    shown = {cell["class"] for cell in values(picks_by_class(made, "vaal"), "text")}
    assert shown == {f"class-{i}" for i in range(70, 100)}


def test_differences_come_best_first_and_those_that_are_separable_in_colour() -> None:
    bars = [
        comparison_figures.Bar("vaal", Estimate(0.6, 0.0, 1.2, 5), "+0.6"),
        comparison_figures.Bar("vaal-diverse", Estimate(3.4, 2.7, 4.1, 5), "+3.4", strong=True),
        comparison_figures.Bar("lone", Estimate(1.0, None, None, 1), "+1.0"),
    ]
    chart = comparison_figures.intervals(bars, "t", "s", "difference in points")
    found = values(chart, "point")
    assert [(row["name"], row["mean"], row["strong"]) for row in found] == [
        ("vaal-diverse", 3.4, "yes"), ("lone", 1.0, "no"), ("vaal", 0.6, "no"),
    ]  # fmt: skip
    assert chart is not None
    spec = chart.to_dict()
    assert spec["layer"][1]["transform"] == [{"filter": "isValid(datum.low)"}]
    assert spec["layer"][1]["encoding"]["color"]["scale"]["range"] == [LIGHT.lines[0], LIGHT.baseline]
    assert spec["layer"][1]["encoding"]["x"]["title"] == "difference in points"


def test_axes_of_comparisons_are_named_and_their_numbers_stand_under_their_lines() -> None:
    bars = [
        comparison_figures.Bar("vaal", Estimate(2.0, 1.0, 3.0, 5), "2"),
        comparison_figures.Bar("dbal", Estimate(9, 8, 9, 5), "9"),
    ]
    compared = comparison_figures.intervals(bars, "t", "s", "labels saved")
    timed = comparison_figures.seconds(bars, "t", "s")
    assert compared is not None
    assert timed is not None
    for chart, title in ((compared, "labels saved"), (timed, "seconds, on a logarithmic axis")):
        axes = [layer["encoding"]["x"] for layer in chart.to_dict()["layer"]]
        assert {axis["title"] for axis in axes} == {title}
        assert {axis["axis"]["labelFlush"] for axis in axes} == {False}
        svg = vl_convert.vegalite_to_svg(chart.to_dict())
        assert title in svg


def test_monitors_show_the_last_rounds_kl_and_scores(example: Make) -> None:
    made = example(("vaal",), 2)
    kept = made.runs[0].rounds[-1].monitors
    bars = values(monitor_figures.latent_use(made, "vaal"), "bar")
    assert [bar["kl"] for bar in bars] == sorted(kept["kl_per_unit"], reverse=True)
    scores = values(monitor_figures.score_histogram(made, "vaal"), "bar")
    assert {bar["kind"] for bar in scores} == {"unlabelled", "labelled"}
    unlabelled = [bar["share"] for bar in scores if bar["kind"] == "unlabelled"]
    assert sum(unlabelled) == pytest.approx(1)
    assert unlabelled[-1] == pytest.approx(kept["score_histogram"][-1] / 1600)
    assert values(monitor_figures.active_units(made), "point")[-1]["round"] == 5


def test_bands_over_seeds_are_explained_where_they_are_drawn(example: Make) -> None:
    for seeds, said in ((1, False), (3, True)):
        made = example(("vaal", "random"), seeds)
        for chart in (learning_curve(made), share_by_round(made), monitor_figures.discriminator_auc(made)):
            assert chart is not None
            spec = chart.to_dict()
            drawn = any(layer["mark"]["type"] == "area" for layer in spec["layer"])
            assert drawn is said is ("Bands: 95 % t intervals." in spec["title"]["subtitle"])


def test_many_names_have_room_and_their_dashes_are_explained(example: Make) -> None:
    few, many = (learning_curve(example(names, 2)) for names in (ALL[:3], ALL))
    assert few is not None
    assert many is not None
    assert many.height == 16 * 22 > few.height == 260
    assert "how its line is dashed" not in few.title.subtitle
    assert many.title.subtitle.endswith("Before a name (--, ··): how its line is dashed.")
    assert any(row["name"].startswith("-- ") for row in values(many, "text"))


def test_without_monitors_there_is_nothing_to_draw(example: Make) -> None:
    made = example(("random",), 2)
    assert monitor_figures.active_units(made) is None
    assert monitor_figures.discriminator_auc(made) is None
    assert monitor_figures.latent_use(made, "random") is None
    assert monitor_figures.score_histogram(made, "random") is None


@pytest.mark.parametrize("ending", ["svg", "png"])
def test_a_figure_is_saved(example: Make, tmp_path: Path, ending: str) -> None:
    chart = learning_curve(example(("random",), 2))
    assert chart is not None
    kept = save(chart, tmp_path / f"curve.{ending}").read_bytes()
    assert kept.startswith(b"<svg" if ending == "svg" else b"\x89PNG")
    assert len(kept) > 3000


def test_a_wider_font_than_the_files_own_is_not_cut(example: Make, tmp_path: Path) -> None:
    chart = learning_curve(example(("random", "vaal-diverse"), 2))
    assert chart is not None
    plain = width(vl_convert.vegalite_to_svg(chart.to_dict()))
    assert width(save(chart, tmp_path / "curve.svg").read_text(encoding="utf-8")) >= plain + 2 * 36


def width(svg: str) -> float:
    found = re.search(r'<svg[^>]* width="([\d.]+)"', svg)
    assert found is not None
    return float(found[1])


def test_another_ending_is_refused(example: Make, tmp_path: Path) -> None:
    chart = learning_curve(example(("random",), 1))
    assert chart is not None
    with pytest.raises(ValueError, match=r"'curve.pdf'; end its name in .svg or .png"):
        save(chart, tmp_path / "curve.pdf")


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.floats(0.001, 0.08))
def test_names_do_not_touch_and_keep_their_order(levels: Sequence[float], gap: float) -> None:
    placed = spaced(levels, gap, 0.0, 1.0)
    order = sorted(range(len(levels)), key=lambda i: levels[i])
    assert all(placed[b] - placed[a] >= gap - 1e-9 for a, b in pairwise(order))
    assert all(-1e-9 <= level <= 1 + 1e-9 for level in placed)


def test_names_that_are_far_apart_stay() -> None:
    assert spaced([0.2, 0.8], 0.05, 0, 1) == [0.2, 0.8]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=5))
def test_an_axis_holds_its_levels_and_no_share_above_one(levels: Sequence[float]) -> None:
    low, high = bounds(levels, limits=(0.0, 1.0))
    assert 0.0 <= low <= min(levels) <= max(levels) <= high <= 1.0
    assert low < high


def test_bounds_are_round_and_may_be_fixed() -> None:
    assert bounds([0.703, 0.972], limits=(0.0, 1.0)) == [0.65, 1.0]
    assert bounds([3, 14], 0.0, 16.0) == [0.0, 16.0]


def contrast(one: str, other: str) -> float:
    """WCAG 2's contrast ratio of two hex colours."""
    bright = sorted((luminance(one), luminance(other)))
    return (bright[1] + 0.05) / (bright[0] + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("ink", [LIGHT, DARK])
def test_words_are_readable_on_paper(ink: Ink) -> None:
    for tone in (ink.ink, ink.muted, *ink.texts):
        assert contrast(tone, ink.paper) >= 4.5, tone
    assert contrast(ink.ink, ink.heat) >= 4.5


def test_a_strategy_keeps_its_colour_and_the_ninth_is_dashed() -> None:
    names = ["random", *(f"s{i}" for i in range(8))]
    found = hues(names, "random", LIGHT)
    assert found["random"].line == LIGHT.baseline
    assert found["s0"].line == found["s6"].line == "#0072b2"
    assert (DASHES[found["s0"].mark], DASHES[found["s6"].mark]) == ((1, 0), (6, 3))
    assert variables(LIGHT)["line-0"] == "#0072b2"


def test_no_two_of_sixteen_lines_look_alike_and_their_names_say_how_they_are_dashed(example: Make) -> None:
    names = ["random", *(f"s{i:02}" for i in range(15))]
    found = hues(names, "random", LIGHT)
    assert len({(hue.line, DASHES[hue.mark]) for hue in found.values()}) == 16
    ends = [row["name"] for row in values(learning_curve(example(tuple(names), 1)), "text")]
    assert {"random", "s00", "-- s06", "·· s12"} <= set(ends)


def test_a_strategy_keeps_its_colour_where_only_some_are_shown() -> None:
    level = {"random": 0.5, "core-set": None, "vaal": 0.6}
    made = Report("t", "s", tuple(Run(name, 0, (RoundRow(0, 40, each),)) for name, each in level.items()))
    chart = learning_curve(made)
    assert chart is not None
    colours = chart.to_dict()["layer"][-2]["encoding"]["color"]["scale"]
    assert colours == {"domain": ["random", "vaal"], "range": [LIGHT.baseline, LIGHT.lines[1]]}
    assert hues(list(level), "random", LIGHT)["vaal"] == Hue(LIGHT.lines[1], LIGHT.texts[1])
