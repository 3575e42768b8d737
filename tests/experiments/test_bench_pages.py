import csv
import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from pickwell.cli import main
from pickwell.experiments.cells import grid
from pickwell.experiments.experiment import FULL, Experiment
from pickwell.experiments.published_results import TABLES
from pickwell.experiments.results.cell_results import runs
from pickwell.experiments.run.results_folder import ResultsFolder
from pickwell.report.experiment_page import page
from pickwell.report.ink import LIGHT
from pickwell.report.page import render, write
from pickwell.report.sections import Page, Table
from pickwell.report.text.claims import measure
from pickwell.report.text.phrases import DASH, MINUS
from pickwell.statistics import judgement
from pickwell.statistics.judgement import Judgement

GAINS = {"random": 0.0, "margin": 0.05, "vaal": 0.0}


def made_up(e: Experiment, variants: tuple[str, ...] = ("",), seeds: int = 5) -> list[dict[str, Any]]:
    """Results as cells leave them, in which margin is better than the others."""
    rng = np.random.default_rng(4)
    luck = rng.normal(0, 0.02, seeds)
    found = [
        _result(variant, method, seed, [
            0.6 + luck[seed] + (0.1 * n + gain if n else 0) + rng.normal(0, 0.003) for n in range(3)
        ])
        for variant in variants for method, gain in GAINS.items() for seed in range(seeds)
    ]  # fmt: skip
    return [*found, *(_result(v, FULL, s, [0.95]) for v in variants for s in range(seeds))]


def _result(variant: str, method: str, seed: int, levels: list[float]) -> dict[str, Any]:
    rows: list[dict[str, Any]] = [
        {"round": n, "labels": 30 + 10 * n, "metrics": {"accuracy": level, "measured": 60},
         # The last one trains no networks of a strategy.
         "fit_seconds": 2.0 if n < len(levels) - 1 else 1.0,
         "query_seconds": (0.5 if method == "vaal" else 0.1) if n else None, "monitors": {}, "picks": [],
         "class_counts": {"0": 4, "1": 6}, "shares": {}}
        for n, level in enumerate(levels)
    ]  # fmt: skip
    return {
        "variant": variant, "method": method, "seed": seed, "rounds": rows, "classes": ["0", "1"], "absent": [],
        "code": "0123456789ab", "data": "feed", "pool": 120, "features": None, "resumes": 0, "finished": "now",
        "facts": {"strategy": {"name": method}}, "versions": {"pickwell": "0.1.0"},
        "hardware": {"name": "a chip", "device": "cpu", "precision": "fp32", "cores": 2},
    }  # fmt: skip


@pytest.fixture
def compared(tiny: Experiment) -> Experiment:
    return tiny.changed({"methods.vaal": {}, "published": ["sampling-time"], "seeds": 5, "reference": True})


def judge(e: Experiment, found: list[dict[str, Any]]) -> Judgement:
    return judgement.judge(runs(found, e.metric), e.baseline, e.judged_alone, FULL)


def shown(e: Experiment, found: list[dict[str, Any]], root: Path) -> Page:
    return page(e, found, grid(e), ResultsFolder(root, root), [])


def words(table: Table) -> list[tuple[str, ...]]:
    return [tuple(map(str, row)) for row in table.rows]


def table(made: Page, name: str) -> Table:
    (found,) = [t for section in made.sections for t in section.tables if t.name == name]
    return found


def rows(folder: Path, name: str) -> dict[str, dict[str, str]]:
    """A table's file, by method."""
    with (folder / f"tables/{name}.csv").open() as lines:
        return {row["method"]: row for row in csv.DictReader(lines)}


def test_what_is_concluded(compared: Experiment) -> None:
    judged = judge(compared, made_up(compared))
    verdicts = {(c.first, c.second): c.verdict for c in judged.comparisons}
    assert verdicts == {("margin", "random"): 1, ("vaal", "random"): 0, ("margin", "vaal"): 1}
    assert judged.wins["margin", "random"] == (1, 1)
    assert judged.wins["random", "margin"] == (0, 1)
    assert judged.reference[""].mean == 0.95
    assert (judged.times["", "random"]["query"], judged.ratio(("", "random"))) == pytest.approx((0.1, 0.2))
    saved = {s.method: s.images.mean for s in judged.saved}
    assert saved["margin"] == pytest.approx(5, abs=1)  # 0.05 higher, where 10 labels are worth 0.1
    assert judged.costs["", "vaal"] == 50
    assert judged.times["", "vaal"]["fit"] == 2.0


def test_only_the_first_rounds_are_judged_where_asked(compared: Experiment) -> None:
    early = compared.changed({"judged_rounds": 1})
    judged = judge(early, made_up(early))
    assert measure(judged) == "AUBC of the first 1 round"
    # All rounds that there are, or more, are no part of them.
    assert {measure(judge(compared.changed({"judged_rounds": n}), made_up(early))) for n in (0, 2, 9)} == {"AUBC"}
    longer = compared.changed({"judged_rounds": 2, "variants": {"few": {}, "many": {"rounds.count": 3}}})
    assert longer.judged_alone == 2
    (random,) = [level.mean for key, level in judged.areas.items() if key == ("", "random")]
    assert random == pytest.approx(0.65, abs=0.02)
    (first, *_) = shown(early, made_up(early), Path()).summary
    assert re.search(r"margin is above random .* points of AUBC of the first 1 round, corrected p", first)


def test_a_page_without_the_baseline_or_of_seeds_that_do_not_meet(compared: Experiment, tmp_path: Path) -> None:
    found = made_up(compared)
    others = shown(compared, [r for r in found if r["method"] != "random"], tmp_path)
    assert others.summary[0] == "No cell of random is finished, with which every method is to be compared."
    assert [sentence.split(" (")[0][:-4] for sentence in others.summary[1:]] == [
        "With 50 labels margin reaches accuracy 0", "With 50 labels vaal reaches accuracy 0",
    ]  # fmt: skip
    assert "vaal is" not in render(others)
    alone = shown(compared, [r for r in found if r["method"] == "vaal"], tmp_path)
    assert [sentence.split(" (")[0] for sentence in alone.summary] == ["With 50 labels vaal reaches accuracy 0.798"]
    apart = shown(compared, [r for r in found if (r["seed"] > 2) == (r["method"] == "random")], tmp_path)
    assert "margin and random cannot be tested (no seed has both)." in apart.summary
    assert "nan" not in "".join(str(cell) for s in apart.sections for t in s.tables for row in t.rows for cell in row)
    reference = shown(compared, [r for r in found if r["method"] == FULL], tmp_path)
    assert reference.summary == others.summary[:1]
    assert "How it was measured" in render(reference)


def test_what_differs_by_variant_is_shown_by_variant(compared: Experiment, tmp_path: Path) -> None:
    varied = compared.changed({"variants": {"a": {"rounds.budget": 5}, "b": {}}})
    found = made_up(varied, ("a", "b"))
    for result in found:
        for row in result["rounds"]:
            if result["variant"] == "a":
                row["labels"] = 30 + 5 * row["round"]
            elif row["round"]:
                row["query_seconds"] *= 20_000
        if (result["variant"], result["method"]) == ("b", "vaal"):
            result["facts"] = {"strategy": {"name": "vaal", "beta": 2.0}}
    judged = judge(varied, found)
    assert [judged.times[v, "vaal"]["query"] for v in ("a", "b")] == [0.5, 10_000]
    assert [judged.ratio((v, "vaal")) for v in ("a", "b")] == [1.0, 1.0]
    assert [judged.costs[v, "random"] for v in ("a", "b")] == [40, 50]
    sections = shown(varied, found, tmp_path).sections
    tables = {table.name: table for section in sections for table in section.tables}
    assert words(tables["times"])[0] == ("random", "a", "0.1", "0.20", "2", "40")
    assert ("vaal", "b", "10,000", "1.00", "2", "50") in words(tables["times"])
    assert [row for row in words(tables["published-sampling-time"]) if row[0].startswith("vaal")] == [
        ("vaal, theirs", "10.59", "1"), ("vaal, ours (a)", "0.5", "1.00"), ("vaal, ours (b)", "10,000", "1.00"),
    ]  # fmt: skip
    assert [row[0] for row in tables["settings"].rows] == ["random", "margin", "vaal", "vaal", "full data"]
    assert [name for name in tables["at-a-glance"].columns if "labels" in name] == [
        "30 labels", "35 labels", "40 labels", "50 labels",
    ]  # fmt: skip
    assert "Variants change what is said above: a (rounds.budget = 5); b (nothing)." in sections[-1].notes


def test_the_page_says_it_and_the_files_hold_it(compared: Experiment, tmp_path: Path) -> None:
    # All but one; what other code has finished is there too, though this code has run none.
    path = write(shown(compared, made_up(compared)[:-1], tmp_path), tmp_path / "report.html", files=True)
    text = path.read_text()
    assert re.search(r"margin is above random at 5 seeds: \+3\.\d ± 0\.\d points of AUBC, corrected p", text)
    assert re.search(r"vaal is not separable from random at 5 seeds", text)
    assert "one family, corrected by Holm" in text
    # Settings are read in lines, from the left; numbers stand under one another.
    assert len(re.findall(r'aria-label="Settings of the methods">\s*<table class="prose">', text)) == 1
    assert 'aria-label="Area under the budget curve">\n<table>' in text
    assert "vaal, theirs" in text
    assert "vaal, ours" in text
    assert "1 of 20 cells have not been run yet" in text
    assert "http://" not in text.split("<script>")[0]
    assert {p.name for p in (tmp_path / "figures").glob("*.svg")} >= {
        "curves.svg", "differences.svg", "labels-saved.svg", "wins.svg", "query-time.svg", "picks-vaal.svg",
    }  # fmt: skip
    assert len(list((tmp_path / "figures").glob("*.png"))) == len(list((tmp_path / "figures").glob("*.svg")))
    areas = rows(tmp_path, "aubc")
    assert [areas[name]["verdict"] for name in ("margin", "vaal", "random")] == ["above", "not separable", ""]


def test_the_files_of_tables_hold_numbers_to_compute_with(compared: Experiment, tmp_path: Path) -> None:
    found = made_up(compared)
    margin = next(c for c in judge(compared, found).comparisons if (c.first, c.second) == ("margin", "random"))
    write(shown(compared, found, tmp_path), tmp_path / "report.html", files=True)
    areas = rows(tmp_path, "aubc")
    estimate = [areas["margin"][f"difference_to_random_points{end}"] for end in ("", "_low", "_high")]
    low, high = margin.estimate.low or 0.0, margin.estimate.high or 0.0
    assert [float(v) for v in estimate] == pytest.approx([100 * margin.estimate.mean, 100 * low, 100 * high], rel=1e-5)
    assert float(areas["margin"]["corrected_p"]) == pytest.approx(margin.corrected, rel=1e-5)  # 4e-05, not "< 0.001"
    assert {areas["random"][name] for name in areas["random"] if "points" in name or name.endswith("p")} == {""}
    assert float(rows(tmp_path, "labels-saved")["vaal"]["labels_saved_low"]) < 0
    # Of all tables together: only names and verdicts are words, and a minus is one that programs read.
    for path in (tmp_path / "tables").glob("*.csv"):
        assert not {"\N{MINUS SIGN}", "\N{EN DASH}"} & set(path.read_text(encoding="utf-8")), path.name
    assert words(table(shown(compared, found, tmp_path), "pairs"))[0][:2] == ("margin against vaal", "5")


def test_intervals_of_levels_end_at_0_and_1_and_those_of_differences_do_not(compared: Experiment) -> None:
    wild = [_result("", name, seed, [0.5, level]) for name, levels in (("random", (0.1, 0.9)), ("margin", (0.99, 0.2)))
            for seed, level in enumerate(levels)]  # fmt: skip
    areas = words(table(shown(compared, wild, Path()), "aubc"))
    assert areas[0][:4] == ("random", "2", "0.500 (0.000 to 1.000)", "0.500 (0.000 to 1.000)")
    assert re.fullmatch(rf"\+4\.8 \({MINUS}\d{{3}}\.\d to \+\d{{3}}\.\d\)", areas[1][4])
    (end,) = [row[-1] for row in words(table(shown(compared, wild, Path()), "curves")) if row[:2] == ("random", "1")]
    assert end == "0.500 (0.000 to 1.000)"


def test_other_seeds_of_other_methods_are_said_at_the_top(compared: Experiment) -> None:
    found = [r for r in made_up(compared) if r["method"] != FULL]
    even = shown(compared, found, Path())
    assert not any("seeds" in sentence for sentence in even.warnings)
    assert "seeds" not in table(even, "at-a-glance").columns
    behind = [r for r in found if (r["method"], r["seed"]) not in {("margin", 0), ("margin", 4), ("vaal", 4)}]
    page = shown(compared, behind, Path())
    (told,) = [sentence for sentence in page.warnings if "seeds" in sentence]
    assert told.startswith(
        "The methods have not the same seeds: all have 1 to 3; random also 0 and 4; vaal also 0. Each mean is of a "
        "method's own seeds"
    )
    for name, column, seeds in (
        ("at-a-glance", "seeds", ["5", "3", "4"]),
        ("aubc", "seeds of both", [DASH, "3", "4"]),
        ("labels-saved", "seeds of both", ["3", "4"]),
    ):
        made = table(page, name)
        assert [row[made.columns.index(column)] for row in words(made)] == seeds
    assert any("Statistics: 3 to 5 seeds a method." in note for note in page.sections[-1].notes)
    apart = shown(compared, [r for r in found if (r["seed"] > 2) == (r["method"] == "random")], Path())
    assert any("no seed is shared by all; random: 3 and 4; margin and vaal: 0 to 2." in s for s in apart.warnings)


def test_labels_saved_promise_no_more_than_there_is(compared: Experiment) -> None:
    def section(levels: dict[str, list[float]], seeds: int) -> tuple[str, Table]:
        found = [_result("", name, seed, [v + seed / 100 for v in each])
                 for name, each in levels.items() for seed in range(seeds)]  # fmt: skip
        (made,) = [s for s in shown(compared, found, Path()).sections if s.heading == "How many labels does it save?"]
        assert "an interval free of 0 is no finding by itself" in made.notes[0]
        ((_, draw),) = made.figures
        figure = draw(LIGHT)
        return figure.title.subtitle if figure else "", made.tables[0]

    levels = {"random": [0.5, 0.6, 0.7], "margin": [0.5, 0.65, 0.8], "vaal": [0.5, 0.4, 0.45]}
    said, made = section(levels, 3)
    assert said == (
        "At equal accuracy. Lines: 95 % bootstrap intervals over seeds; no finding by themselves. "
        "Without vaal: see the table."
    )
    assert words(made)[1] == ("vaal", "0.460", "30", "30", DASH, DASH)
    assert "A dash: the method and random are both there with their first labels" in made.caption
    assert section({"random": levels["random"], "margin": levels["margin"]}, 2)[0] == (
        "At equal accuracy. Fewer than 3 seeds: no intervals."
    )
    assert section({"random": levels["random"], "vaal": levels["vaal"]}, 2)[0] == ""
    one = [r for r in made_up(compared) if (r["method"], r["seed"]) not in {("vaal", seed) for seed in range(1, 5)}]
    drawn = [draw(LIGHT) for name, draw in shown(compared, one, Path()).sections[0].figures if name == "differences"]
    assert [f.title.subtitle.split(".")[0] for f in drawn if f] == [
        "Paired by seed, with 95 % t intervals from 2 seeds on"
    ]


def test_variants_have_curves_of_their_own_and_share_the_correction(compared: Experiment, tmp_path: Path) -> None:
    varied = compared.changed({"variants": {"a": {}, "b": {"oracle.noise": 0.1}}})
    found = made_up(varied, ("a", "b"))
    text = render(shown(varied, found, tmp_path))
    assert "Accuracy by number of labels (a)" in text
    assert "With “b”, margin is above random" in text
    assert judge(varied, found).wins["margin", "random"] == (2, 2)
    assert "2 of 2" in text
    lone = next(draw for s in shown(varied, found, tmp_path).sections for name, draw in s.figures if name == "wins")
    assert "A dash" not in str(lone(LIGHT))
    untested = [r for r in found if r["seed"] == 0]
    one_seed = next(
        draw for s in shown(varied, untested, tmp_path).sections for name, draw in s.figures if name == "wins"
    )
    figure = one_seed(LIGHT)
    assert figure is not None
    assert figure.title.subtitle.endswith(" A dash: not tested in any.")
    half = [r for r in found if (r["variant"], r["method"]) != ("b", "margin")]
    assert judge(varied, half).wins["margin", "random"] == (1, 1)


def test_what_a_committee_gains_by_being_one_is_said_at_its_claim(compared: Experiment, tmp_path: Path) -> None:
    def with_members(sizes: dict[tuple[str, str], int], e: Experiment = compared) -> Page:
        found = made_up(e, tuple(e.variants) or ("",))
        for result in found:
            if n := sizes.get((result["variant"], result["method"])):
                result["facts"]["strategy"]["members"] = n
        return shown(e, found, tmp_path)

    assert "networks" not in render(with_members({}))
    made = with_members({("", "margin"): 5})
    said = {sentence.split()[0]: sentence for sentence in made.summary}
    helped = "margin is measured by the mean prediction of 5 networks, which alone makes a part of the difference."
    assert said["margin"].endswith(f"; {helped}")
    assert "networks" not in said["vaal"]
    captions = [t.caption for section in made.sections for t in section.tables if t.name in ("aubc", "labels-saved")]
    assert all(caption.endswith("which alone makes a part of a difference: margin.") for caption in captions)
    assert "Committees are measured by the mean prediction" in render(made)
    # Where both sides are one, neither has help; where the baseline is one, every claim says so.
    every = with_members({("", name): 5 for name in (*GAINS, FULL)})
    assert "networks" not in " ".join(every.summary)
    assert FULL not in next(t.caption for s in every.sections for t in s.tables if t.name == "aubc")
    claims = with_members({("", "random"): 3}).summary[:2]
    assert all("; random is measured by" in sentence for sentence in claims)
    varied = compared.changed({"variants": {"a": {}, "b": {"oracle.noise": 0.1}}})
    in_b = with_members({("b", "margin"): 5}, varied)
    assert ["networks" in sentence for sentence in in_b.summary if "margin" in sentence] == [False, True]
    assert "margin has 5." in render(in_b)
    assert "margin has 5 in a and 10 in b." in render(with_members({("a", "margin"): 5, ("b", "margin"): 10}, varied))


def test_names_are_text_not_markup(compared: Experiment, tmp_path: Path) -> None:
    sly = compared.changed({"title": "<script>alert(1)</script>"})
    assert "<script>alert(1)" not in render(shown(sly, made_up(sly), tmp_path))


def test_published_numbers_are_those_of_the_specification() -> None:
    imagenet = TABLES["imagenet"]
    assert imagenet.rows["vaal"] == (39.62, 45.44, 48.61, 51.61, 53.31)
    assert imagenet.rows["mc-dropout"] == (39.62, 42.32, 45.81, 47.37, 49.63)
    assert TABLES["cifar10"].rows["random"] == (77.2, 81.3, 83.1)
    assert [round(seconds) for seconds, _ in TABLES["sampling-time"].rows.values()] == [81, 75, 20, 11, 11]
    for table in TABLES.values():
        assert all(len(values) == len(table.columns) for values in table.rows.values())
        assert table.labels in ((), table.labels[: len(table.columns)])


def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    monkeypatch.setattr("sys.argv", ["pickwell", "bench", *map(str, arguments)])
    code: Any = 0
    try:
        main()
    except SystemExit as end:
        code = end.code or 0
    out, err = capsys.readouterr()
    return code, out + err


def test_the_commands(
    tmp_path: Path, tiny: Experiment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def bench(*arguments: object) -> tuple[int, str]:
        return command(monkeypatch, capsys, *arguments)

    mine, out = tmp_path / "mine.toml", tmp_path / "out"
    mine.write_text(tiny.changed({"seeds": 1}).toml())
    listed = bench("list")[1]
    assert "cifar10-small" in listed
    assert "robust-oracle" in listed
    assert "budget = 2500" in bench("show", "cifar10")[1]
    assert "budget = 7" in bench("show", mine, "--set", "rounds.budget=7")[1]
    code, said = bench("status", mine, "--out", out)
    assert (code, "2 cells: 2 waiting" in said) == (0, True)

    code, said = bench("run", mine, "--out", out, "--seeds", "2", "--strategies", "random")
    assert (code, "2 cells: 2 finished" in said) == (0, True)
    code, said = bench("run", mine, "--out", out, "--seeds", "2", "--json")
    assert json.loads(said) == {
        "states": {"finished": 4},
        "report": str(out / "report.html"),
        "notes": [],
        "problems": {},
    }
    found = json.loads(bench("status", mine, "--out", out, "--json")[1])
    assert found["states"] == {"finished": 4}
    (out / "report.html").unlink()
    assert bench("report", mine, "--out", out)[0] == 0
    assert (out / "report.html").exists()
    assert pq.read_table(out / "data/results.parquet")["seed"].unique().to_pylist() == [0, 1]
    # Seeds may come in pieces: the report is of all that are there.
    code, said = bench("run", mine, "--out", out, "--seeds", "7,", "--strategies", "random")
    assert (code, "1 cell: 1 finished" in said) == (0, True)
    assert pq.read_table(out / "data/results.parquet")["seed"].unique().to_pylist() == [0, 1, 7]
    assert json.loads(bench("status", mine, "--out", out, "--json")[1])["states"] == {"finished": 5}

    wild = ("--set", "training.learning_rate=1e30", "--set", "training.epochs=5")
    one = ("--seeds", "0,", "--strategies", "random")
    code, said = bench("run", mine, "--out", tmp_path / "wild", *one, *wild, "--json")
    assert (code, list(json.loads(said)["problems"])) == (1, ["random, seed 0"])
    assert "diverged" in json.loads(said)["problems"]["random, seed 0"]

    for arguments, sentence in (
        (("run", "digit"), "unknown experiment 'digit'; did you mean 'digits'?"),
        (("run", mine, "--strategies", "vall"), "unknown method 'vall'"),
        (("run", mine, "--seeds", "many"), "--seeds many: give how many (10) or which (0,3,7 or 5-9)"),
        (("run", mine, "--set", "rounds.budgte=1"), "did you mean 'rounds.budget'?"),
        (("run", "cityscapes", "--out", tmp_path / "c"), "Cityscapes is not in"),
    ):
        code, said = bench(*arguments)
        assert (code, sentence in said.replace("\n", " ")) == (2, True), said


def test_a_file_that_is_no_experiment_hides_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments/run7.toml").write_text("seed = 7")
    monkeypatch.chdir(tmp_path)
    code, said = command(monkeypatch, capsys, "list", "--json")
    found = json.loads(said)
    assert code == 0
    assert found["digits"]["cells"] == 100
    assert "setting 'title' is missing" in found["run7"]["error"]
    assert "setting 'title' is missing" in command(monkeypatch, capsys, "list")[1]


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRAWN = "[...document.querySelectorAll('[data-figure]')].every(place => place.querySelector('svg'))"


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="looking at the report needs Chromium")
@pytest.mark.parametrize("width", [1300, 390])
def test_the_page_draws_itself_and_asks_nobody(compared: Experiment, tmp_path: Path, width: int) -> None:
    playwright = pytest.importorskip("playwright.sync_api", reason="looking at the report needs playwright")
    path = write(shown(compared, made_up(compared), tmp_path), tmp_path / "report.html")
    with playwright.sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page(viewport={"width": width, "height": 900})
        asked: list[str] = []
        troubles: list[str] = []
        tab.on("request", lambda request: asked.append(request.url))
        tab.on("console", lambda message: troubles.append(message.text))
        tab.on("pageerror", lambda error: troubles.append(str(error)))
        tab.goto(path.as_uri())
        tab.wait_for_function(DRAWN, timeout=30_000)
        assert [url for url in asked if not url.startswith("data:")] == [path.as_uri()]
        assert troubles == []
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        assert tab.locator("[data-figure] svg").count() == 8
        browser.close()
