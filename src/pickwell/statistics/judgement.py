"""Everything that is concluded from the runs of a report, as values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pickwell.statistics.aubc import area, at, curves_of, first_rounds, shared_labels
from pickwell.statistics.comparisons import Comparison, compare, wins
from pickwell.statistics.estimates import Estimate, Point, mean_interval, points
from pickwell.statistics.label_savings import Saved, labels_saved
from pickwell.statistics.runs import Run, known, of, strategies

Key = tuple[str, str]


@dataclass(frozen=True)
class Judgement:
    """What the runs support. Keys are (variant, method); `variants` is how many named ones there are.

    `areas` are means over seeds, over the first `judged` rounds (0: all), where all runs of the variant were measured;
    `ends` are the last points. `wins` counts the variants in which the first of a pair is above the second, and those
    in which the two were tested. `times` has the median seconds by what took them, `costs` the labels paid for;
    `reference` is the full data's level by variant; `seeds` are those that each method has finished; `committees` has
    how many networks' mean prediction is measured, where it is more than one's.
    """

    baseline: str
    judged: int
    methods: tuple[str, ...]
    variants: int
    areas: Mapping[Key, Estimate]
    ends: Mapping[Key, Point]
    comparisons: Sequence[Comparison]
    saved: Sequence[Saved]
    wins: Mapping[tuple[str, str], tuple[int, int]]
    times: Mapping[Key, Mapping[str, float]]
    costs: Mapping[Key, int]
    reference: Mapping[str, Estimate]
    seeds: Mapping[Key, tuple[int, ...]]
    committees: Mapping[Key, int]

    @property
    def uneven(self) -> bool:
        """Whether the methods of any variant have not the same seeds."""
        kinds = {(variant, seeds) for (variant, _), seeds in self.seeds.items()}
        return len(kinds) > len({variant for variant, _ in kinds})

    @property
    def against(self) -> list[Comparison]:
        """The comparisons with the baseline."""
        return [c for c in self.comparisons if c.second == self.baseline]

    def ratio(self, key: Key, reference: str = "vaal") -> float | None:
        """How many times the reference's query one of the method takes; None where either was not timed."""
        ours, usual = (self.times.get(one, {}).get("query") for one in (key, (key[0], reference)))
        return ours / usual if ours is not None and usual else None


def judge(runs: Sequence[Run], baseline: str, judged: int = 0, reference: str = "") -> Judgement:
    """Areas, tests, labels saved and costs; of the strategy named `reference` the level alone."""
    own = [run for run in runs if run.strategy != reference]
    methods, variants = tuple(strategies(own)), tuple(dict.fromkeys(run.variant for run in own))
    parts: dict[Key, list[Run]] = {(v, name): [] for v in variants for name in methods}
    for run in own:
        parts[run.variant, run.strategy].append(run)
    parts = {key: part for key, part in parts.items() if part}
    tested = compare(own, baseline, first_rounds(judged) if judged else area)
    saved = [
        labels_saved([run for run in own if run.variant == variant], name, baseline)
        for variant in variants for name in methods if name != baseline
    ]  # fmt: skip
    full = {
        v: points([run for run in of(runs, reference) if run.variant == v])
        for v in dict.fromkeys(run.variant for run in runs)
    }
    return Judgement(
        baseline=baseline,
        judged=judged,
        methods=methods,
        variants=len([v for v in variants if v]),
        areas={key: found for v in variants for key, found in _areas(own, v, judged).items()},
        ends={key: last for key, part in parts.items() for last in points(part)[-1:]},
        comparisons=tested,
        saved=[one for one in saved if one is not None],
        wins=wins(tested, methods),
        times={key: _medians(part) for key, part in parts.items()},
        costs={key: max((row.labels for run in part for row in run.rounds), default=0) for key, part in parts.items()},
        reference={variant: found[-1].estimate for variant, found in full.items() if found},
        seeds={key: tuple(sorted(run.seed for run in part)) for key, part in parts.items()},
        committees={key: part[0].members for key, part in parts.items() if part[0].members},
    )


def _areas(runs: Sequence[Run], variant: str, judged: int) -> dict[Key, Estimate]:
    """Means over seeds, with the numbers of labels that all runs of the variant share; none where there is none."""
    curves = curves_of([run for run in runs if run.variant == variant])
    labels = shared_labels(curve for found in curves.values() for curve in found.values())
    value = first_rounds(judged) if judged else area
    return {
        (variant, name): mean_interval([value(at(curve, labels)) for curve in found.values()])
        for name, found in curves.items() if labels
    }  # fmt: skip


def _medians(runs: Sequence[Run]) -> dict[str, float]:
    """Median seconds by what took them."""
    rows = [row for run in runs for row in run.rounds]
    tasks = dict.fromkeys(task for row in rows for task in row.timings)
    found = {task: [s for row in rows if (s := known(row.timings.get(task))) is not None] for task in tasks}
    return {task: float(np.median(values)) for task, values in found.items() if values}
