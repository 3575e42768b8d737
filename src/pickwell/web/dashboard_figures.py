"""What the dashboard shows, as plain values."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import Any

from pickwell.campaign.open_campaign import OpenCampaign
from pickwell.items import Kind, PickState
from pickwell.statistics.runs import known, measured_rows
from pickwell.store import Entry, Labels, Progress, Result, Store
from pickwell.web.agreement import agreement, standing
from pickwell.web.desk import SUGGESTION_SEEN

PAUSE = 300.0
"""Seconds after which an annotator had left: no part of their rate."""


def curve(results: Iterable[Result], metric: str) -> list[dict[str, Any]]:
    """The metric by number of labels, the newest measurement of each number."""
    rows = {row.labels: row for row in measured_rows(results, metric) if known(row.accuracy) is not None}
    return [
        {"labels": n, "value": rows[n].accuracy, "measured": rows[n].measured, "low": rows[n].low, "high": rows[n].high}
        for n in sorted(rows)
    ]


COUNTS = {Kind.ANSWER.value: "answered", Kind.SKIP.value: "skipped", Kind.IGNORE.value: "ignored", "undo": "undone"}


def annotators(log: Iterable[Entry]) -> list[dict[str, Any]]:
    """Counts and pace of everybody who told something, the busiest first; without what was taken back or replaced.

    `a_minute` counts time `at_work` only: gaps of over five minutes are pauses.
    """
    entries = list(log)
    stand = {entry.id for entry in standing(entries).values()}
    people: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        people[entry.annotator].append(entry)
    rows = [_annotator(name, own, stand) for name, own in people.items()]
    return sorted(rows, key=lambda one: (-one["answered"], one["name"]))


def _annotator(name: str, entries: Sequence[Entry], stand: Collection[int]) -> dict[str, Any]:
    counted = [entry for entry in entries if entry.is_undo or entry.id in stand]
    kinds = Counter(COUNTS[entry.kind] for entry in counted)
    times = [entry.time.timestamp() for entry in entries]
    working = [gap for gap in (later - earlier for earlier, later in pairwise(times)) if gap <= PAUSE]
    taken = [entry.seconds for entry in entries if entry.seconds is not None]
    return {
        "name": name,
        **{kind: kinds[kind] for kind in COUNTS.values()},
        "suggestions_seen": sum(SUGGESTION_SEEN in entry.source for entry in counted),
        "seconds": median(taken) if taken else None,
        "a_minute": 60 * len(working) / sum(working) if sum(working) else None,
        "at_work": sum(working, 0.0),
    }


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


def progress(current: Progress | None) -> dict[str, Any] | None:
    """How far the open round is; None when none is open."""
    if current is None:
        return None
    states = current.states
    open_ = states[PickState.WAITING] + states[PickState.LEASED] + states[PickState.DISPUTED]
    return {
        "number": current.number,
        "strategy": current.strategy,
        "total": states.total(),
        "done": states.total() - open_,
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
        "curve": curve(campaign.store.results(), campaign.task.metric),
        "balance": balance(labels, campaign.task.classes, lambda value: campaign.shown(value) or ()),
        "rounds": found,
        "maps": campaign.maps.numbers(),
        "annotators": annotators(log),
        "agreement": agreement(log),
        "disputes": len(campaign.store.disputes()),
        "computed_seconds": computed,
    }
