"""The page of a campaign, out of its store and its pool."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pickwell.campaign.directory import MADE_IN
from pickwell.campaign.opened import OpenCampaign
from pickwell.config import flat
from pickwell.data.pool import Pool
from pickwell.items import Round, RoundKind
from pickwell.report.campaign_sections import sections
from pickwell.report.galleries import Gallery, Picked, thumbnail
from pickwell.report.report import Report
from pickwell.report.scene_galleries import SceneFiles
from pickwell.report.sections import Page
from pickwell.report.text.claims import summary, warnings
from pickwell.statistics.judgement import judge
from pickwell.statistics.runs import RoundRow, Run, measured_rows
from pickwell.tasks.segmentation.segmentation import Segmentation

SHOWN = 24
"""Picks of a round that its gallery shows."""

GALLERIES = 6
"""So many of the newest rounds have a gallery."""


def report_of(root: Path) -> Report:
    """The report of the campaign in a directory; trains nothing, and needs no torch."""
    with OpenCampaign(root) as campaign:
        return campaign_report(campaign)


def page(report: Report) -> Page:
    """The page of a campaign, or of several together."""
    judged, reports = judge(report.runs, report.baseline), {"": report}
    return Page(
        title=report.title,
        subtitle=report.subtitle,
        summary=tuple(summary(judged, reports)),
        sections=tuple(sections(judged, report)),
        warnings=tuple(warnings(report)),
    )


def campaign_report(campaign: OpenCampaign) -> Report:
    """What a campaign has asked, learnt and measured, and its newest picks with their pictures."""
    store, task, pool = campaign.store, campaign.task, campaign.pool
    files = None
    if isinstance(task, Segmentation):
        files = SceneFiles(pool, task.masks, campaign.directory.rounds, task.classes)
    made, labels = store.campaign(), store.labels()
    rounds = store.rounds(RoundKind.ASKED)
    strategy = str(made.settings["strategy"]["name"])
    truth = dict(zip(labels.items.tolist(), labels.values, strict=True))
    rows = tuple(_rows(campaign, rounds, truth, files))
    newest, lost = rounds[: -GALLERIES - 1 : -1], files.pixels(labels.values)[2] if files else 0
    return Report(
        title=made.name,
        subtitle=f"{len(labels)} of {len(pool)} images are labelled, in {len(rounds)} rounds.",
        runs=(Run(strategy, made.seed, rows),),
        galleries=tuple(files.gallery(q, truth) if files else _gallery(q, pool, truth) for q in newest),
        classes=tuple(task.classes),
        legend=files.legend if files else {},
        metric=task.figure,
        baseline=strategy,
        notes=_notes(rows, campaign) if files else (),
        warnings=(f"{lost} masks that were told cannot be read any more; tell them again",) if lost else (),
        settings=flat(made.settings),
        versions={name: str(value) for name, value in made.versions.items() if name != MADE_IN},
    )


def _notes(rows: Sequence[RoundRow], campaign: OpenCampaign) -> tuple[str, ...]:
    """How masks are measured; nothing before anything was."""
    where = "images drawn at random from the pool" if campaign.test is None else "the test set"
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


def _rows(
    campaign: OpenCampaign, rounds: Sequence[Round], truth: Mapping[int, str], files: SceneFiles | None
) -> Iterator[RoundRow]:
    """What each round asked, and what the fit after it reached; first what a fit on imported labels reached."""
    measured = {row.round: row for row in measured_rows(campaign.store.results(), campaign.task.metric)}
    # What a fit reached belongs to the round before the question. Without one there is the import alone, round 1.
    before = min((question.number for question in rounds), default=2) - 1
    if before in measured:
        yield replace(measured[before], round=0)
    for question in rounds:
        kept = campaign.store.details(question.number)
        told = [truth[pick.item] for pick in question.picks if pick.item in truth]
        pixels, shown, _ = files.pixels(told) if files else ({}, dict(Counter(told)), 0)
        row = measured.get(question.number, RoundRow(question.number, len(truth)))
        yield replace(
            row, class_counts=shown if told else {}, class_pixels=pixels, monitors=kept.monitors, timings=kept.timings
        )


def _gallery(question: Round, pool: Pool, truth: Mapping[int, str]) -> Gallery:
    # Those drawn at random to measure on are no choice of the strategy's.
    chosen = [(p, pool.item(p.item).name) for p in question.picks if not p.held_out][:SHOWN]
    picks = (Picked(p.item, name, p.rank, p.score, truth.get(p.item), thumbnail(pool, p.item)) for p, name in chosen)
    title = f"Round {question.number}: {question.strategy}"
    return Gallery(title, tuple(picks), f"{len(question.picks)} images asked.")
