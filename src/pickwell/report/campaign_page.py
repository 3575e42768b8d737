"""The page of a campaign, out of its store and its pool."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pickwell.campaign.directory import MADE_IN
from pickwell.campaign.open_campaign import OpenCampaign
from pickwell.config import flat
from pickwell.items import Round, RoundKind
from pickwell.report.campaign_sections import sections
from pickwell.report.report import Report
from pickwell.report.sections import Page
from pickwell.report.task_report import TaskReport, task_report
from pickwell.report.text.claims import summary, warnings
from pickwell.statistics.judgement import judge
from pickwell.statistics.runs import RoundRow, Run, measured_rows

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
    store, task, part = campaign.store, campaign.task, task_report(campaign)
    made, labels = store.campaign(), store.labels()
    rounds = store.rounds(RoundKind.ASKED)
    strategy = str(made.settings["strategy"]["name"])
    truth = dict(zip(labels.items.tolist(), labels.values, strict=True))
    rows = tuple(_rows(campaign, rounds, truth, part))
    return Report(
        title=made.name,
        subtitle=f"{len(labels)} of {len(campaign.pool)} images are labelled, in {len(rounds)} rounds.",
        runs=(Run(strategy, made.seed, rows),),
        galleries=tuple(part.gallery(question, truth) for question in rounds[: -GALLERIES - 1 : -1]),
        classes=tuple(task.classes),
        legend=part.legend,
        metric=task.figure,
        share=task.share,
        baseline=strategy,
        notes=part.notes(rows),
        warnings=part.warnings(labels.values),
        settings=flat(made.settings),
        versions={name: str(value) for name, value in made.versions.items() if name != MADE_IN},
    )


def _rows(
    campaign: OpenCampaign, rounds: Sequence[Round], truth: Mapping[int, str], part: TaskReport
) -> Iterator[RoundRow]:
    """What each round asked, and what the fit after it reached; first what a fit on imported labels reached."""
    measured = {row.round: row for row in measured_rows(campaign.store.results(), campaign.task.metric)}
    # What a fit reached belongs to the round before the question. Without one there is the import alone, round 1.
    before = min((question.number for question in rounds), default=2) - 1
    if before in measured:
        yield replace(measured[before], round=0)
    for question in rounds:
        kept = campaign.store.details(question.number)
        shown, pixels = part.counts([truth[pick.item] for pick in question.picks if pick.item in truth])
        row = measured.get(question.number, RoundRow(question.number, len(truth)))
        yield replace(row, class_counts=shown, class_pixels=pixels, monitors=kept.monitors, timings=kept.timings)
