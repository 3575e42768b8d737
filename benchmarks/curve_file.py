"""Curves in a CSV file: a row a point, added to campaign by campaign, read as what is compared."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from pickwell.report.text.entries import verdict
from pickwell.statistics.aubc import area
from pickwell.statistics.comparisons import Comparison, holm
from pickwell.statistics.estimates import paired
from pickwell.statistics.runs import Curve

Curves = dict[str, dict[int, Curve]]
"""By method and seed."""


@dataclass(frozen=True)
class CurveFile:
    """The columns `set`, `method`, `seed`, `labels`, `accuracy`, and `more`."""

    path: Path
    more: Sequence[str] = ()

    def rows(self) -> list[dict[str, str]]:
        """All rows; none before the first was added."""
        if not self.path.exists():
            return []
        with self.path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def done(self) -> set[tuple[str, str, int]]:
        """Set, method and seed of the campaigns that are there."""
        return {(row["set"], row["method"], int(row["seed"])) for row in self.rows()}

    def add(self, chosen: str, method: str, seed: int, points: Iterable[Mapping[str, Any]]) -> None:
        """Adds a whole campaign; one that was stopped leaves nothing."""
        found = [{"set": chosen, "method": method, "seed": seed, **point} for point in points]
        self.path.parent.mkdir(exist_ok=True)
        with self.path.open("a", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, ("set", "method", "seed", "labels", "accuracy", *self.more))
            if not file.tell():
                writer.writeheader()
            writer.writerows(found)

    def curves(self, chosen: str) -> Curves:
        """The curves of one set."""
        return curves(row for row in self.rows() if row["set"] == chosen)


def curves(rows: Iterable[Mapping[str, Any]], value: str = "accuracy") -> Curves:
    """Rows of `method`, `seed`, `labels` and a value as curves."""
    found: dict[str, dict[int, dict[int, float]]] = {}
    for row in rows:
        found.setdefault(row["method"], {}).setdefault(int(row["seed"]), {})[int(row["labels"])] = float(row[value])
    return {method: dict(seeds) for method, seeds in found.items()}


def compared(first: str, ours: Mapping[int, Curve], second: str, theirs: Mapping[int, Curve]) -> Comparison:
    """The paired difference of areas, over the seeds that both have."""
    seeds = sorted(ours.keys() & theirs.keys())
    assert all(min(ours[s].items()) == min(theirs[s].items()) for s in seeds), f"{first} and {second} start otherwise"
    areas = ([area(curves[seed]) for seed in seeds] for curves in (ours, theirs))
    return Comparison("", first, second, *paired(*areas))


def family(tests: Sequence[Comparison]) -> list[Comparison]:
    """The comparisons as one family of tests; where all curves are the same there is nothing to test."""
    corrected = iter(holm([one.p for one in tests if one.p is not None]))
    return [one if one.p is None else replace(one, corrected=next(corrected)) for one in tests]


def gain(curves: Mapping[int, Curve], random: Mapping[int, Curve], seeds: Iterable[int]) -> float:
    """How much higher than random's a method's curves are in the mean of their points, in points of accuracy."""
    return 100 * fmean(fmean(curves[seed].values()) - fmean(random[seed].values()) for seed in seeds)


def told(one: Comparison) -> dict[str, Any]:
    """A comparison's columns, differences in points."""
    points = one.estimate.scaled(100)
    return {
        "seeds": points.n, "aubc_difference": _rounded(points.mean), "low": _rounded(points.low),
        "high": _rounded(points.high), "p": one.p, "corrected_p": one.corrected, "verdict": verdict(one.verdict),
    }  # fmt: skip


def write(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes a table anew."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
