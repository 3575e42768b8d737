"""What more labels are likely to be worth, and whether the intervals hold on curves that were measured."""

from collections import defaultdict
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from pickwell.statistics.learning_curve import expected

RESULTS = Path(__file__).parents[2] / "results"
MEASURED = {"few-labels-clothing": 372, "few-labels-cifar10": 1000, "few-labels-grocery": 1000, "digits": 500}
"""Committed curves, and on about how many images they were measured."""


def runs(name: str) -> list[dict[int, float]]:
    """The accuracy by number of labels of every run."""
    table = pq.read_table(RESULTS / name / "data" / "results.parquet").to_pylist()
    found: dict[tuple[str, int], dict[int, float]] = defaultdict(dict)
    for row in table:
        if row["metric"] == "accuracy":
            found[row["method"], row["seed"]][row["labels"]] = row["value"]
    return list(found.values())


def test_the_interval_at_twice_the_labels_holds_the_truth() -> None:
    held: list[bool] = []
    for name, measured in MEASURED.items():
        for run in runs(name)[::7]:
            labels = sorted(run)
            for count in range(2, len(labels)):
                if (at := 2 * labels[count - 1]) in run:
                    some = labels[:count]
                    told = expected(some, [run[n] for n in some], [measured] * count, at)
                    assert told is not None
                    held.append(told.low <= run[at] <= told.high)
    assert len(held) > 150
    assert np.mean(held) >= 0.85


def test_a_known_law_is_continued() -> None:
    labels = [100, 200, 400, 800]
    told = expected(labels, [1 - 0.4 * (n / 100) ** -0.5 for n in labels], [100_000] * 4, 1600)
    assert told is not None
    assert told.share == pytest.approx(0.9, abs=0.015)
    assert told.low < 0.9 < told.high


def test_more_measured_images_are_surer() -> None:
    narrow = expected([50, 100], [0.6, 0.7], [5000, 5000], 200)
    wide = expected([50, 100], [0.6, 0.7], [20, 20], 200)
    assert narrow is not None
    assert wide is not None
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)
    assert expected([50, 100], [0.6, 0.7], [20, 20], 200) == wide


@pytest.mark.parametrize("shares", [[0.0, 0.0], [1.0, 1.0], [0.9, 0.1], [0.1, 0.9]])
def test_extreme_rounds_stay_shares(shares: list[float]) -> None:
    told = expected([10, 20], shares, [3, 3], 1_000_000)
    assert told is not None
    assert 0 <= told.low <= told.share <= told.high <= 1


@pytest.mark.parametrize(("labels", "at"), [([50], 100), ([50, 50], 100), ([50, 100], 100), ([], 10)])
def test_too_little_to_go_by(labels: list[int], at: int) -> None:
    assert expected(labels, [0.5] * len(labels), [100] * len(labels), at) is None
