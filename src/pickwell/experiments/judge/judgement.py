"""Everything that is concluded from an experiment's finished cells, as values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pickwell.experiments.experiment import FULL, Experiment
from pickwell.report.text.phrases import plural
from pickwell.statistics.comparisons import (
    Comparison,
    Curve,
    Saved,
    area,
    compare,
    final,
    first_rounds,
    labels_saved,
    query_times,
    wins,
)
from pickwell.statistics.estimates import Estimate, mean_interval

Key = tuple[str, str]


@dataclass(frozen=True)
class Judgement:
    """What the cells support. Keys are (variant, method); `variants` is how many named ones there are.

    `areas` and `finals` are means over seeds, of `measure` and of the last value. `wins` counts the variants in which
    the first of a pair is above the second, and those in which the two were tested. `queries` has the median seconds of
    a query and their ratio to vaal's in the same variant, `fits` the median seconds of a fit that a query follows,
    `costs` the labels paid for; `reference` is the full data's level by variant; `seeds` are those that each method has
    finished; `committees` has how many networks' mean prediction is measured, where it is more than one's.
    """

    measure: str
    methods: tuple[str, ...]
    variants: int
    areas: Mapping[Key, Estimate]
    finals: Mapping[Key, Estimate]
    comparisons: Sequence[Comparison]
    saved: Sequence[Saved]
    wins: Mapping[tuple[str, str], tuple[int, int]]
    queries: Mapping[Key, tuple[float, float | None]]
    fits: Mapping[Key, float]
    costs: Mapping[Key, int]
    reference: Mapping[str, Estimate]
    seeds: Mapping[Key, tuple[int, ...]]
    committees: Mapping[Key, int]

    @property
    def uneven(self) -> bool:
        """Whether the methods of any variant have not the same seeds."""
        kinds = {(variant, seeds) for (variant, _), seeds in self.seeds.items()}
        return len(kinds) > len({variant for variant, _ in kinds})


def curves(found: Sequence[Mapping[str, Any]], metric: str) -> list[Curve]:
    """The results as curves."""
    return [
        Curve(
            result["method"], result["seed"], tuple(row["labels"] for row in result["rounds"]),
            tuple(row["metrics"][metric] for row in result["rounds"]), result["variant"],
        )
        for result in found
    ]  # fmt: skip


def judge(experiment: Experiment, found: Sequence[Mapping[str, Any]]) -> Judgement:
    """Areas, tests, labels saved and costs of the finished cells."""
    every = curves(found, experiment.metric)
    own = [curve for curve in every if curve.method != FULL]
    limit = experiment.judged_alone
    value = first_rounds(limit) if limit else area
    tested = compare(own, experiment.baseline, value)
    methods = tuple(name for name in experiment.methods if any(curve.method == name for curve in own))
    variants = tuple(dict.fromkeys(curve.variant for curve in own))
    rows = {(c.variant, c.method): list[Any]() for c in own}
    for result in found:
        if result["method"] != FULL:
            rows[result["variant"], result["method"]] += result["rounds"]
    saved = [
        labels_saved([c for c in own if c.variant == variant], name, experiment.baseline)
        for variant in variants for name in methods if name != experiment.baseline
    ]  # fmt: skip
    return Judgement(
        measure=f"AUBC of the first {plural(limit, 'round')}" if limit else "AUBC",
        methods=methods,
        variants=len([v for v in variants if v]),
        areas=_means(own, methods, variants, value),
        finals=_means(own, methods, variants, final),
        comparisons=tested,
        saved=[one for one in saved if one is not None],
        wins=wins(tested, methods),
        queries={(variant, name): times for variant in variants for name, times in _queries(rows, variant).items()},
        fits=_fits(found),
        costs={key: max(row["labels"] for row in each) for key, each in rows.items()},
        reference={
            v: mean_interval([final(c) for c in every if c.method == FULL and c.variant == v])
            for v in dict.fromkeys(c.variant for c in every if c.method == FULL)
        },
        seeds={key: tuple(sorted(c.seed for c in own if (c.variant, c.method) == key)) for key in rows},
        committees=committees(found),
    )


def committees(found: Sequence[Mapping[str, Any]]) -> dict[Key, int]:
    """The methods that are measured by the mean prediction of several networks, and how many these are."""
    return {
        (r["variant"], r["method"]): members
        for r in found if r["method"] != FULL and (members := r["facts"]["strategy"].get("members"))
    }  # fmt: skip


def _fits(found: Sequence[Mapping[str, Any]]) -> dict[Key, float]:
    """Median seconds. The last fit of a run is left out: no query follows, so a strategy's networks are not in it."""
    seconds: dict[Key, list[float]] = {}
    for result in found:
        if result["method"] != FULL:
            rows = result["rounds"][:-1] or result["rounds"]
            seconds.setdefault((result["variant"], result["method"]), []).extend(row["fit_seconds"] for row in rows)
    return {key: float(np.median(values)) for key, values in seconds.items()}


def _queries(rows: Mapping[Key, Sequence[Any]], variant: str) -> dict[str, tuple[float, float | None]]:
    # The first row of a run is of before any query.
    own = {name: [row for row in each if row["round"]] for (of, name), each in rows.items() if of == variant}
    return query_times({name: [row["query_seconds"] for row in each] for name, each in own.items()})


def _means(found: Sequence[Curve], methods: Sequence[str], variants: Sequence[str], value: Any) -> dict[Key, Estimate]:
    return {
        (variant, name): mean_interval(values)
        for variant in variants for name in methods
        if (values := [value(c) for c in found if c.method == name and c.variant == variant])
    }  # fmt: skip
