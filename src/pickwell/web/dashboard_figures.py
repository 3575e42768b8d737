"""What the dashboard shows, as plain values."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from pickwell.campaign.opened import OpenCampaign
from pickwell.items import Kind, PickState, Round, RoundState
from pickwell.statistics.intervals import wilson
from pickwell.store import Entry, Labels, Result, Store
from pickwell.web.agreement import agreement
from pickwell.web.desk import SUGGESTION_SEEN

ACCURACY = "accuracy"
PAUSE = 300.0
"""Seconds after which an annotator had left: no part of their rate."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One point of the learning curve: accuracy or mean IoU; of the former with an interval."""

    labels: int
    value: float
    measured: int
    low: float | None
    high: float | None


def curve(results: Iterable[Result], metric: str) -> list[Measured]:
    """The metric by number of labels, the newest measurement of each number."""
    found: dict[int, dict[str, float]] = defaultdict(dict)
    for row in results:
        if not row.run:
            found[row.labels][row.metric] = row.value
    return [_point(labels, found[labels], metric) for labels in sorted(found) if _known(found[labels].get(metric))]


def _point(labels: int, values: Mapping[str, float], metric: str) -> Measured:
    n, value = int(values.get("measured", 0)), values[metric]
    low, high = wilson(value, n) if n and metric == ACCURACY else (None, None)  # mean IoU is no share of images
    return Measured(labels, value, n, low, high)


def _known(value: float | None) -> bool:
    return value is not None and not math.isnan(value)


@dataclass(slots=True)
class Annotator:
    """What one annotator did. `a_minute` counts time at work only: gaps of over five minutes are pauses."""

    name: str
    answered: int = 0
    skipped: int = 0
    ignored: int = 0
    undone: int = 0
    suggestions_seen: int = 0
    seconds: float | None = None
    a_minute: float | None = None
    at_work: float = 0.0
    _times: list[float] = field(default_factory=list, repr=False)
    _taken: list[float] = field(default_factory=list, repr=False)


def annotators(log: Iterable[Entry]) -> list[dict[str, Any]]:
    """Counts and pace of everybody who told something, the busiest first; without what was taken back or replaced."""
    found: dict[str, Annotator] = {}
    entries = list(log)
    undone = {entry.undoes for entry in entries}
    said = (entry for entry in entries if entry.kind != "undo" and entry.id not in undone)
    stands = {(entry.annotator, entry.item): entry.id for entry in said}
    for entry in entries:
        one = found.setdefault(entry.annotator, Annotator(entry.annotator))
        if entry.kind == "undo" or stands.get((entry.annotator, entry.item)) == entry.id:
            _COUNT[entry.kind](one)
            one.suggestions_seen += SUGGESTION_SEEN in entry.source
        one._times.append(entry.time.timestamp())
        if entry.seconds is not None:
            one._taken.append(entry.seconds)
    people = sorted((_paced(one) for one in found.values()), key=lambda one: (-one.answered, one.name))
    return [{k: v for k, v in asdict(one).items() if not k.startswith("_")} for one in people]


def _add(name: str) -> Any:
    def add(one: Annotator) -> None:
        setattr(one, name, getattr(one, name) + 1)

    return add


_COUNT = {Kind.ANSWER.value: _add("answered"), Kind.SKIP.value: _add("skipped")}
_COUNT |= {Kind.IGNORE.value: _add("ignored"), "undo": _add("undone")}


def _paced(one: Annotator) -> Annotator:
    gaps = [later - earlier for earlier, later in zip(one._times, one._times[1:], strict=False)]
    working = [gap for gap in gaps if gap <= PAUSE]
    one.at_work = sum(working)
    one.a_minute = 60 * len(working) / one.at_work if one.at_work > 0 else None
    one.seconds = median(one._taken) if one._taken else None
    return one


def balance(
    labels: Labels, classes: Sequence[str], shown: Callable[[str], Iterable[str]] = lambda value: (value,)
) -> list[dict[str, Any]]:
    """How many labels of each class every round brought; `shown` says which classes a label shows."""
    counts: dict[int, Counter[str]] = defaultdict(Counter)
    for number, value in zip(labels.rounds.tolist(), labels.values, strict=True):
        counts[number].update(shown(value))
    return [{"round": number, "counts": [counts[number][name] for name in classes]} for number in sorted(counts)]


def rounds(store: Store) -> list[dict[str, Any]]:
    """Every round without its picks: strategy, state, times and monitors."""
    shown = []
    for found in store.rounds(picks=False):
        kept = store.details(found.number)
        facts = {"number": found.number, "state": found.state, "strategy": found.strategy, "opened": kept.opened}
        shown.append({**facts, "closed": kept.closed, "timings": kept.timings, "monitors": plain(kept.monitors)})
    return shown


def plain(value: Any) -> Any:
    """The value with null for what JSON has no number for."""
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def progress(current: Round | None) -> dict[str, Any] | None:
    """How far the open round is; None when none is open."""
    if current is None or current.state is not RoundState.OPEN:
        return None
    states = Counter(pick.state for pick in current.picks)
    return {
        "number": current.number,
        "strategy": current.strategy,
        "total": len(current.picks),
        "done": len(current.picks) - len(current.waiting) - states[PickState.DISPUTED],
        "leased": states[PickState.LEASED],
        "skipped": states[PickState.SKIPPED],
        "disputed": states[PickState.DISPUTED],
        "overlap": current.overlap,
    }


def dashboard(campaign: OpenCampaign) -> dict[str, Any]:
    """All figures of the dashboard but the progress of a fit."""
    labels, log = campaign.store.labels(), list(campaign.store.log())
    found = rounds(campaign.store)
    computed = sum(sum(float(v) for v in one["timings"].values() if isinstance(v, int | float)) for one in found)
    return {
        "position": campaign.store.position(),
        "labelled": len(labels),
        "held_out": int(labels.held_out.sum()),
        "ignored": len(campaign.store.ignored()),
        "images": len(campaign.pool),
        "classes": campaign.task.classes,
        "metric": campaign.task.metric,
        "curve": [asdict(point) for point in curve(campaign.store.results(), campaign.task.metric)],
        "balance": balance(labels, campaign.task.classes, campaign.task.shown),
        "rounds": found,
        "maps": campaign.maps.numbers(),
        "annotators": annotators(log),
        "agreement": agreement(log),
        "disputes": len(campaign.store.disputes()),
        "computed_seconds": computed,
    }
