"""The report of one campaign, out of its store and its pool."""

from collections import Counter
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

from PIL import Image

from pickwell.data.pool import Pool
from pickwell.errors import PoolError
from pickwell.intervals import wilson
from pickwell.items import Round
from pickwell.report.runs import Gallery, Picked, Report, RoundRow, Run
from pickwell.store import Store

SHOWN = 24
"""Picks of a round that its gallery shows."""

THUMBNAIL = 96
"""Pixels a side of a gallery's pictures."""

GALLERIES = 6
"""So many of the newest rounds have a gallery."""


def campaign_report(store: Store, pool: Pool, classes: Sequence[str]) -> Report:
    """What a campaign has asked, learnt and measured, and its newest picks with their pictures."""
    made = store.campaign()
    rounds = [question for question in store.rounds() if question.strategy != "import"]
    strategy = str(made.settings["strategy"]["name"])
    labels = store.labels()
    truth = dict(zip(labels.items.tolist(), labels.values, strict=True))
    rows = tuple(_row(store, question, truth) for question in rounds)
    return Report(
        title=made.name,
        subtitle=f"{len(labels)} of {len(pool)} images are labelled, in {len(rounds)} rounds.",
        runs=(Run(strategy, made.seed, (*_first(store, rounds), *rows)),),
        galleries=tuple(_gallery(question, pool, truth) for question in rounds[-GALLERIES:]),
        classes=tuple(classes),
        baseline=strategy,
        settings=_flat(made.settings),
        versions={name: str(value) for name, value in made.versions.items()},
    )


def _measured(store: Store, number: int) -> dict[str, float]:
    return {row.metric: row.value for row in store.results() if row.round == number}


def _first(store: Store, rounds: Sequence[Round]) -> list[RoundRow]:
    """What a fit on imported labels, before any question, reached."""
    before = min((question.number for question in rounds), default=2) - 1
    found = [row for row in store.results() if row.round == before]
    return [_with_metrics(0, found[-1].labels, _measured(store, before))] if found else []


def _row(store: Store, question: Round, truth: Mapping[int, str]) -> RoundRow:
    kept = store.details(question.number)
    found = [row for row in store.results() if row.round == question.number]
    told = Counter(truth[pick.item] for pick in question.picks if pick.item in truth)
    return _with_metrics(
        question.number,
        found[-1].labels if found else len(truth),
        _measured(store, question.number),
        class_counts=dict(told),
        monitors=kept.monitors,
        timings=kept.timings,
    )


def _with_metrics(number: int, labels: int, values: Mapping[str, float], **rest: Any) -> RoundRow:
    accuracy, measured = values.get("accuracy"), int(values.get("measured", 0))
    low, high = wilson(accuracy, measured) if accuracy is not None and measured else (None, None)
    return RoundRow(number, labels, accuracy, low, high, **rest)


def _gallery(question: Round, pool: Pool, truth: Mapping[int, str]) -> Gallery:
    picks = [
        Picked(
            pick.item,
            pool.item(pick.item).name,
            pick.rank,
            pick.score,
            truth.get(pick.item),
            _thumbnail(pool, pick.item),
        )
        for pick in [pick for pick in question.picks if not pick.held_out][:SHOWN]
    ]
    return Gallery(
        f"Round {question.number}: {question.strategy}", tuple(picks), f"{len(question.picks)} images asked."
    )


def _thumbnail(pool: Pool, item: int) -> bytes:
    width, height = pool.manifest.sizes([item])[0].tolist()
    try:
        pixels = pool.view(item, min(THUMBNAIL, max(8, width, height)))
    except PoolError:
        return b""  # the picture is gone; its name and score still tell
    kept = BytesIO()
    Image.fromarray(pixels.transpose(1, 2, 0)).save(kept, "WEBP", quality=80)
    return kept.getvalue()


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for name, value in settings.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {prefix + name: value}
    return flat
