"""What a report is made of: plain, frozen values; whoever measured fills them in."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, SupportsFloat


@dataclass(frozen=True, slots=True)
class RoundRow:
    """One round of one run: its query, and what the fit after that query's labels reached.

    Round 0 is the first fit, before any query: it has no shares, counts or monitors. `labels` counts everything paid
    for, validation included. `low` and `high` bound `accuracy` by what a single run knows (see `intervals.wilson`).
    `shares` are shares of the query by group, for example `{"absent": 0.85}`; `timings` are seconds by what took them.

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
    """One strategy under one seed. Runs of equal seed share their first labels, so they may be paired."""

    strategy: str
    seed: int
    rounds: tuple[RoundRow, ...]


@dataclass(frozen=True, slots=True)
class Picked:
    """A picked image: `png` holds a small PNG, JPEG, WebP or GIF, `marked` sets it off (an absent class, say)."""

    item: int
    name: str
    rank: int
    score: float
    label: str | None = None
    png: bytes = b""
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Gallery:
    """Picked images under a heading, for example one query of one strategy."""

    title: str
    picks: tuple[Picked, ...]
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """A picked scene: `pictures` (WebP or PNG) by what they show, and what is to be said of them.

    `score` is None where it is but a random number.
    """

    item: int
    name: str
    rank: int
    score: float | None
    pictures: Mapping[str, bytes]
    words: str = ""


@dataclass(frozen=True, slots=True)
class SceneGallery:
    """Picked scenes under a heading."""

    title: str
    scenes: tuple[Scene, ...]
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """All that a report shows.

    `marked` are the classes of interest (absent at first, or rare) and `group` the key of `RoundRow.shares` that
    counts them; `pool_shares` says what share of the pool each group is. `subtitle` and `notes` are plain sentences.
    `scenes` are a campaign's with masks, and `legend` the colours that its classes have in them.
    """

    title: str
    subtitle: str
    runs: tuple[Run, ...]
    galleries: tuple[Gallery, ...] = ()
    notes: tuple[str, ...] = ()
    baseline: str = "random"
    metric: str = "accuracy"
    classes: tuple[str, ...] = ()
    marked: tuple[str, ...] = ()
    group: str = "absent"
    pool_shares: Mapping[str, float] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    scenes: tuple[SceneGallery, ...] = ()
    legend: Mapping[str, str] = field(default_factory=dict)


def strategies(runs: Iterable[Run]) -> list[str]:
    """The strategies' names, in order of appearance."""
    return list(dict.fromkeys(run.strategy for run in runs))


def of(runs: Iterable[Run], strategy: str) -> list[Run]:
    """The runs of one strategy."""
    return [run for run in runs if run.strategy == strategy]


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
