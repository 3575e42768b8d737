"""Where a campaign stands: figures for people and programs, and what to do next."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pickwell.campaign.open_campaign import OpenCampaign
from pickwell.campaign.progress_file import Doing, doing
from pickwell.items import Metrics, RoundKind, RoundState
from pickwell.statistics.intervals import wilson
from pickwell.statistics.learning_curve import Expected, expected
from pickwell.statistics.runs import measured_rows


@dataclass(frozen=True)
class Status:
    """What `pickwell status` shows. Of masks, `classes` counts the labelled images that show each class.

    `unreadable` are the images whose masks can be read no more; they are in no class's count. `score` is the task's
    figure, named `metric`; `accuracy` is it too, where the task has one. `expected` is what 100 labels more, and twice
    as many, are likely to bring. `doing` is what another process is at:
    encoding, training, picking.
    """

    name: str
    strategy: str
    images: int
    set_aside: int
    missing: int
    labelled: int
    held_out: int
    ignored: int
    grouped: int
    classes: Mapping[str, int]
    unreadable: Sequence[str]
    rounds: int
    waiting: int
    open_round: int | None
    accuracy: float | None
    interval: tuple[float, float] | None
    metric: str
    score: float | None
    measured: int
    expected: Sequence[Expected]
    monitors: Mapping[str, Any]
    doing: Doing | None
    advice: str


def status_of(campaign: OpenCampaign) -> Status:
    """The campaign's figures as its store has them."""
    labels, rounds = campaign.store.labels(), campaign.store.rounds(picks=False)
    question, metrics = campaign.store.current(), campaign.measured()
    shown = [campaign.shown(value) for value in labels.values]
    counts = Counter(name for one in shown for name in one or ())
    lost = [item for item, one in zip(labels.items.tolist(), shown, strict=True) if one is None]
    asked = [r for r in rounds if r.kind is RoundKind.ASKED]  # an import has nothing to say of the strategy
    monitors = campaign.store.details(asked[-1].number).monitors if asked else {}
    return Status(
        name=campaign.settings.name,
        strategy=str(campaign.settings.strategy["name"]),
        images=len(campaign.pool),
        set_aside=len(campaign.pool.set_aside()),
        missing=len(campaign.missing()),
        labelled=len(labels),
        held_out=int(labels.held_out.sum()),
        ignored=len(campaign.store.ignored()),
        grouped=int((np.bincount(groups := campaign.groups())[groups] > 1).sum()),
        classes={name: counts[name] for name in campaign.task.classes},
        unreadable=campaign.pool.manifest.names(lost),
        rounds=sum(r.state is RoundState.CLOSED for r in rounds),
        waiting=len(question.waiting) if question else 0,
        open_round=question.number if question else None,
        accuracy=metrics.accuracy,
        interval=interval_of(metrics),
        metric=campaign.task.metric,
        score=metrics.values.get(campaign.task.metric),
        measured=metrics.measured,
        expected=_expected(campaign, len(labels)),
        monitors=monitors,
        doing=doing(campaign.directory.root),
        advice=_advice(campaign, len(labels), question is not None, campaign.task.metric not in metrics.values),
    )


def interval_of(metrics: Metrics) -> tuple[float, float] | None:
    """The 95 % interval of the accuracy; None if nothing was measured."""
    if metrics.accuracy is None or not metrics.measured:
        return None
    return wilson(metrics.accuracy, metrics.measured)


def _expected(campaign: OpenCampaign, labelled: int) -> list[Expected]:
    """The accuracy after 100 labels more, and after twice as many; [] where too few rounds tell."""
    if campaign.task.metric != "accuracy":
        return []
    rows = {row.labels: row for row in measured_rows(campaign.store.results(), campaign.task.metric)}
    told = [row for number, row in sorted(rows.items()) if row.accuracy is not None and number <= labelled]
    labels, measured = [row.labels for row in told], [row.measured for row in told]
    shares = [row.accuracy for row in told if row.accuracy is not None]
    ahead = (expected(labels, shares, measured, at) for at in sorted({labelled + 100, 2 * labelled}))
    return [one for one in ahead if one]


def _advice(campaign: OpenCampaign, labelled: int, is_open: bool, unmeasured: bool) -> str:
    """The command to run next."""
    root, left = campaign.directory.root, len(campaign.unlabelled())
    if is_open:
        table = root / "to-label.csv"
        return f"label in the browser: pickwell serve {root}; or fill in {table}, then: pickwell tell {root} {table}"
    if not left:
        return f"every image was asked for: pickwell report {root}, or add more with pickwell add {root}"
    ask = f"pickwell ask {root} --budget {min(50, left)}"
    if labelled == 0:
        return f"ask for the first images: {ask}"
    if unmeasured:
        return f"train on the labels: pickwell fit {root}; or ask for more: {ask}"
    return f"ask for the next images: {ask}"
