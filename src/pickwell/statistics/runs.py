"""One run as every figure, table and test takes it; whoever measured fills it in."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, SupportsFloat

from pickwell.statistics.intervals import wilson

if TYPE_CHECKING:
    from pickwell.store import Result

IOU = "iou/"
"""What the name of a class's IoU begins with."""
Curve = Mapping[int, float]
"""The metric by number of labels paid for, rising."""


@dataclass(frozen=True, slots=True)
class RoundRow:
    """One round of one run: its query, and what the fit after that query's labels reached.

    Round 0 is the first fit, before any query: it has no shares, counts or monitors. `labels` counts everything paid
    for, validation included. `low` and `high` bound `accuracy` by what a single run knows (see `intervals.wilson`).
    `shares` are shares of the query by group, for example `{"absent": 0.85}`; `timings` are seconds by what took them:
    the query, and the fit before it.

    Monitors that are drawn, each optional: `active_units` of `latent_units`, `kl_per_unit` (nats), `discriminator_auc`
    and `discriminator_auc_held_out`, `score_histogram` (counts in equal bins of [0, 1], of the unlabelled images) with
    `score_histogram_labelled` and `score_histogram_held_out`, and `warnings` (sentences that begin `Kind: ...`).

    `measured` is on how many images. Of masks, `accuracy` is the mean IoU, `class_scores` the IoU of each class,
    `class_counts` the query's images that show each class, and `class_pixels` their labelled pixels of each class.
    """

    round: int
    labels: int
    accuracy: float | None = None
    low: float | None = None
    high: float | None = None
    shares: Mapping[str, float] = field(default_factory=dict)
    class_counts: Mapping[str, int] = field(default_factory=dict)
    monitors: Mapping[str, Any] = field(default_factory=dict)
    timings: Mapping[str, float] = field(default_factory=dict)
    measured: int = 0
    pixel_accuracy: float | None = None
    class_scores: Mapping[str, float] = field(default_factory=dict)
    class_pixels: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Run:
    """One strategy, or method of an experiment, under one seed. Runs of equal seed share their first labels.

    `members` is how many networks' mean prediction is measured, where it is more than one's.
    """

    strategy: str
    seed: int
    rounds: tuple[RoundRow, ...]
    variant: str = ""
    members: int = 0

    @property
    def curve(self) -> dict[int, float]:
        """What is known of the metric, the newest of each number of labels."""
        found = {row.labels: value for row in self.rounds if (value := known(row.accuracy)) is not None}
        return dict(sorted(found.items()))


def measured_row(number: int, labels: int, metrics: Mapping[str, float], metric: str, **rest: Any) -> RoundRow:
    """A round with what a fit measured, by the metrics' names; `metric` is what curves are of.

    Only an accuracy has an interval: a mean IoU is no share of images.
    """
    level, measured = known(metrics.get(metric)), int(metrics.get("measured", 0))
    low, high = wilson(level, measured) if metric == "accuracy" and level is not None and measured else (None, None)
    scores = {name.removeprefix(IOU): value for name, value in metrics.items() if name.startswith(IOU)}
    return RoundRow(
        number, labels, level, low, high, measured=measured, class_scores=scores,
        pixel_accuracy=metrics.get("pixel_accuracy"), **rest,
    )  # fmt: skip


def measured_rows(results: "Iterable[Result]", metric: str) -> list[RoundRow]:
    """What a campaign's store has of each fit that was measured, in order of time."""
    found: dict[tuple[int, int], dict[str, float]] = {}
    for one in results:
        found.setdefault((one.round, one.labels), {})[one.metric] = one.value
    return [measured_row(number, labels, metrics, metric) for (number, labels), metrics in found.items()]


def strategies(runs: Iterable[Run]) -> list[str]:
    """The strategies' names, in order of appearance."""
    return list(dict.fromkeys(run.strategy for run in runs))


def of(runs: Iterable[Run], strategy: str) -> list[Run]:
    """The runs of one strategy."""
    return [run for run in runs if run.strategy == strategy]


def by_variant(runs: Iterable[Run]) -> dict[str, list[Run]]:
    """The runs of each variant, in order of appearance."""
    found: dict[str, list[Run]] = {}
    for run in runs:
        found.setdefault(run.variant, []).append(run)
    return found


def mean(values: Iterable[object]) -> float | None:
    """The mean of those that are finite numbers; None without any."""
    found = numbers(values)
    return sum(found) / len(found) if found else None


def known(value: object) -> float | None:
    """The value as a finite float, or None for whatever is missing, NaN or not a number."""
    if isinstance(value, bool) or not isinstance(value, SupportsFloat):
        return None
    number = float(value)
    return number if math.isfinite(number) else None


def numbers(values: object) -> list[float]:
    """The finite numbers among `values`; [] unless it is a sequence."""
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        return []
    return [number for value in values if (number := known(value)) is not None]


def last_monitored(runs: Sequence[Run], *keys: str) -> tuple[Run, RoundRow] | None:
    """The last round, of the first run that has one, whose monitors hold numbers under every key."""
    for run in runs:
        for row in reversed(run.rounds):
            if all(numbers(row.monitors.get(key)) for key in keys):
                return run, row
    return None
