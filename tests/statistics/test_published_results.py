"""What `results/` says is what the measured numbers beside it give today."""

import csv
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pickwell.experiments.experiment import FULL, Experiment
from pickwell.report.text.entries import verdict
from pickwell.statistics.estimates import Estimate
from pickwell.statistics.judgement import judge
from pickwell.statistics.runs import RoundRow, Run

RESULTS = Path(__file__).parents[2] / "results"
PUBLISHED = sorted(path.parent.parent.name for path in RESULTS.glob("*/data/results.parquet"))


def runs(folder: Path, metric: str) -> list[Run]:
    found: dict[tuple[str, str, int], list[RoundRow]] = {}
    for row in pq.read_table(folder / "data/results.parquet").to_pylist():
        if row["metric"] == metric:
            key = row["variant"], row["method"], row["seed"]
            found.setdefault(key, []).append(RoundRow(row["round"], row["labels"], row["value"]))
    return [Run(method, seed, tuple(rows), variant) for (variant, method, seed), rows in found.items()]


def numbers(estimate: Estimate, times: float = 1) -> list[float]:
    return [times * (bound or 0.0) for bound in (estimate.mean, estimate.low, estimate.high)]


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_areas_differences_and_verdicts(name: str) -> None:
    folder = RESULTS / name
    experiment = Experiment.read(folder / "experiment.toml")
    judged = judge(runs(folder, experiment.metric), experiment.baseline, experiment.judged_alone, FULL)
    against = {(c.variant, c.first): c for c in judged.against}
    with (folder / "tables/aubc.csv").open(encoding="utf-8") as lines:
        table = list(csv.DictReader(lines))
    assert len(table) == len(judged.areas)
    for row in table:
        key = row.get("variant", ""), row["method"]
        area = next(column for column in row if column.startswith("AUBC"))
        assert float(row[area]) == pytest.approx(judged.areas[key].mean, rel=1e-5)
        if key in against:
            c = against[key]
            ends = [float(row[f"difference_to_random_points{end}"]) for end in ("", "_low", "_high")]
            assert ends == pytest.approx(numbers(c.estimate, 100), rel=1e-4, abs=1e-4)
            assert float(row["corrected_p"]) == pytest.approx(c.corrected, rel=1e-4)
            assert row["verdict"] == verdict(c.verdict)
