"""The area, its difference and the verdict are the same numbers on every page, in every table and in every file."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from pickwell.experiments.cells import grid
from pickwell.experiments.experiment import Experiment
from pickwell.experiments.run.results_folder import ResultsFolder
from pickwell.report.campaign_page import page as campaigns
from pickwell.report.experiment_page import page as experiment
from pickwell.report.page import render, write
from pickwell.report.report import Report
from pickwell.report.sections import Entry, Page
from pickwell.report.together import together
from pickwell.statistics.aubc import area
from pickwell.statistics.estimates import Estimate
from pickwell.statistics.runs import RoundRow, Run

LABELS = (40, 60, 160)
LEVELS = {
    ("random", seed): (0.5 + seed / 50, 0.6 + seed / 90, 0.8) for seed in range(4)
} | {("vaal", seed): (0.5 + seed / 50, 0.62 + seed / 40, 0.82 + seed / 200) for seed in range(4)}  # fmt: skip
E: Experiment = Experiment.parse(
    {"title": "t", "seeds": 4, "data": {"set": "digits"}, "start": {"labels": 40}, "rounds": {"count": 2, "budget": 20},
     "methods": {"random": {}, "vaal": {}}}
)  # fmt: skip


def together_page() -> Page:
    """As `pickwell report a b ...` makes it of eight campaigns."""
    made = {
        Path(f"{name}-{seed}"): Report(f"{name}-{seed}", "", (Run(name, seed, tuple(
            RoundRow(n, *pair) for n, pair in enumerate(zip(LABELS, values, strict=True)))),), baseline=name)
        for (name, seed), values in LEVELS.items()
    }  # fmt: skip
    return campaigns(together(made))


def experiment_page(root: Path) -> Page:
    """As `pickwell bench report` makes it of eight cells."""
    found: list[dict[str, Any]] = [
        {"variant": "", "method": name, "seed": seed, "classes": ["0"], "absent": [], "code": "c", "data": "d",
         "pool": 9, "features": None, "resumes": 0, "facts": {"strategy": {"name": name}}, "versions": {},
         "finished": "now", "hardware": {"name": "a chip", "device": "cpu", "precision": "fp32", "cores": 2},
         "rounds": [{"round": n, "labels": labels, "metrics": {"accuracy": value}, "fit_seconds": 1.0, "shares": {},
                     "query_seconds": 0.1 if n else None, "monitors": {}, "picks": [], "class_counts": {}}
                    for n, (labels, value) in enumerate(zip(LABELS, values, strict=True))]}
        for (name, seed), values in LEVELS.items()
    ]  # fmt: skip
    return experiment(E, found, grid(E), ResultsFolder(root, root), [], pictures=False)


def row(page: Page, method: str) -> dict[str, str | Entry]:
    (table,) = [table for section in page.sections for table in section.tables if table.name == "aubc"]
    (found,) = [row for row in table.rows if row[0] == method]
    return dict(zip(table.columns, found, strict=True))


def by_hand(method: str) -> list[float]:
    """Two trapezoids, 20 and 100 labels wide."""
    return [(20 * (a + b) / 2 + 100 * (b + c) / 2) / 120 for (name, _), (a, b, c) in LEVELS.items() if name == method]


def test_pages_tables_files_and_statistics_agree(tmp_path: Path) -> None:
    pages = [together_page(), experiment_page(tmp_path)]
    vaal, random = by_hand("vaal"), by_hand("random")
    assert [area(dict(zip(LABELS, LEVELS["vaal", s], strict=True))) for s in range(4)] == pytest.approx(vaal)
    tested = stats.ttest_rel(vaal, random)
    low, high = (100 * bound for bound in tested.confidence_interval(0.95))
    for at, page in enumerate(pages):
        write(page, tmp_path / str(at) / "report.html", files=True)
        with (tmp_path / str(at) / "tables/aubc.csv").open(encoding="utf-8") as lines:
            kept = {line["method"]: line for line in csv.DictReader(lines)}["vaal"]
        found, text = row(page, "vaal"), render(page)
        for column, name, value in (("AUBC", "AUBC", np.mean(vaal)), ("p", "p", tested.pvalue)):
            entry = found[column]
            assert isinstance(entry, Entry)
            shown = entry.value.mean if isinstance(entry.value, Estimate) else entry.value
            assert shown == pytest.approx(value)
            assert float(kept[name]) == pytest.approx(value, rel=1e-5)
            assert f">{entry}</td>" in text.replace("&lt;", "<")
        ends = [float(kept[f"difference_to_random_points{end}"]) for end in ("", "_low", "_high")]
        assert ends == pytest.approx([100 * (np.mean(vaal) - np.mean(random)), low, high], rel=1e-5)
        said = f"+{ends[0]:.1f} ± {(high - low) / 2:.1f} points of AUBC, corrected p = {tested.pvalue:.3f}."
        assert page.summary[0] == f"vaal is above random at 4 seeds: {said}"
        assert (kept["verdict"], found["verdict"]) == ("above", "above")
    assert row(pages[0], "vaal") == row(pages[1], "vaal")
    assert row(pages[0], "random") == row(pages[1], "random")
