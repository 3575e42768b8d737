"""The report of one campaign, out of its store and its pool."""

from collections import Counter
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from pickwell.campaign.directory import MADE_IN
from pickwell.campaign.opened import OpenCampaign
from pickwell.data.pool import Pool
from pickwell.errors import PoolError
from pickwell.items import IMPORT, Round
from pickwell.report.runs import Gallery, Picked, Report, RoundRow, Run
from pickwell.report.scene_galleries import SceneFiles
from pickwell.statistics.intervals import wilson
from pickwell.store import Store
from pickwell.tasks.segmentation.segmentation import Segmentation

SHOWN = 24
"""Picks of a round that its gallery shows."""

THUMBNAIL = 96
"""Pixels a side of a gallery's pictures."""

GALLERIES = 6
"""So many of the newest rounds have a gallery."""


IOU = "iou/"
"""What the name of a class's IoU begins with."""


def report_of(root: Path) -> Report:
    """The report of the campaign in a directory; trains nothing, and needs no torch."""
    with OpenCampaign(root) as campaign:
        files, where = None, "images drawn at random from the pool" if campaign.test is None else "the test set"
        if isinstance(campaign.task, Segmentation):
            files = SceneFiles(campaign.pool, campaign.task.masks, campaign.directory.rounds, campaign.task.classes)
        return campaign_report(campaign.store, campaign.pool, campaign.task.classes, files, where)


def campaign_report(
    store: Store, pool: Pool, classes: Sequence[str], files: SceneFiles | None = None, where: str = ""
) -> Report:
    """What a campaign has asked, learnt and measured, and its newest picks with their pictures.

    A campaign with masks has `files`; `where` says which images it is measured on.
    """
    made = store.campaign()
    rounds = [question for question in store.rounds() if question.strategy != IMPORT]
    strategy = str(made.settings["strategy"]["name"])
    labels = store.labels()
    truth = dict(zip(labels.items.tolist(), labels.values, strict=True))
    rows = (*_first(store, rounds), *(_row(store, question, truth, files) for question in rounds))
    newest, lost = rounds[-GALLERIES:], files.pixels(labels.values)[2] if files else 0
    return Report(
        title=made.name,
        subtitle=f"{len(labels)} of {len(pool)} images are labelled, in {len(rounds)} rounds.",
        runs=(Run(strategy, made.seed, rows),),
        galleries=() if files else tuple(_gallery(question, pool, truth) for question in newest),
        scenes=tuple(files.gallery(question, truth) for question in newest[::-1]) if files else (),
        classes=tuple(classes),
        legend=files.legend if files else {},
        metric="mean IoU" if files else "accuracy",
        baseline=strategy,
        notes=_notes(rows, where) if files else (),
        warnings=(f"{lost} masks that were told cannot be read any more; tell them again",) if lost else (),
        settings=_flat(made.settings),
        versions={name: str(value) for name, value in made.versions.items() if name != MADE_IN},
    )


def _notes(rows: Sequence[RoundRow], where: str) -> tuple[str, ...]:
    """How masks are measured; nothing before anything was."""
    counts = [row.measured for row in rows if row.measured]
    if not counts:
        return ()
    least, most = min(counts), max(counts)
    many = f"{most} images" if least == most else f"{least} images at first and {most} at last"
    return (
        f"Measured on {many} ({where}), none of them trained on. IoU and pixel accuracy come from one confusion matrix "
        "of all their pixels; mean IoU is the mean over the classes that occur. Pixels labelled 255 or void count "
        "nowhere.",
    )


def _measured(store: Store, number: int) -> dict[str, float]:
    return {row.metric: row.value for row in store.results() if row.round == number}


def _first(store: Store, rounds: Sequence[Round]) -> list[RoundRow]:
    """What a fit on imported labels, before any question, reached."""
    # What a fit reached belongs to the round before the question. Without one there is the import alone, round 1.
    before = min((question.number for question in rounds), default=2) - 1
    found = [row for row in store.results() if row.round == before]
    return [_with_metrics(0, found[-1].labels, _measured(store, before))] if found else []


def _row(store: Store, question: Round, truth: Mapping[int, str], files: SceneFiles | None) -> RoundRow:
    """What a round asked, and what the fit after it reached."""
    kept = store.details(question.number)
    found = [row for row in store.results() if row.round == question.number]
    told = [truth[pick.item] for pick in question.picks if pick.item in truth]
    pixels, shown, _ = files.pixels(told) if files else ({}, dict(Counter(told)), 0)
    return _with_metrics(
        question.number,
        found[-1].labels if found else len(truth),
        _measured(store, question.number),
        class_counts=shown if told else {},
        class_pixels=pixels,
        monitors=kept.monitors,
        timings=kept.timings,
    )


def _with_metrics(number: int, labels: int, values: Mapping[str, float], **rest: Any) -> RoundRow:
    accuracy, measured = values.get("accuracy"), int(values.get("measured", 0))
    low, high = wilson(accuracy, measured) if accuracy is not None and measured else (None, None)
    score = values.get("mean_iou", accuracy)
    scores = {name.removeprefix(IOU): value for name, value in values.items() if name.startswith(IOU)}
    rest |= {"class_scores": scores, "pixel_accuracy": values.get("pixel_accuracy"), "measured": measured}
    return RoundRow(number, labels, score, low, high, **rest)


def _gallery(question: Round, pool: Pool, truth: Mapping[int, str]) -> Gallery:
    picks = [
        Picked(
            pick.item,
            pool.item(pick.item).name,
            pick.rank,
            pick.score,
            truth.get(pick.item),
            thumbnail(pool, pick.item),
        )
        # Those drawn at random to measure on are no choice of the strategy's.
        for pick in [pick for pick in question.picks if not pick.held_out][:SHOWN]
    ]
    return Gallery(
        f"Round {question.number}: {question.strategy}", tuple(picks), f"{len(question.picks)} images asked."
    )


def thumbnail(pool: Pool, item: int) -> bytes:
    """The image as a small WebP; nothing where it can be read no more."""
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
