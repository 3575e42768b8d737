"""What a kind of task adds to the report of a campaign."""

from collections import Counter
from collections.abc import Mapping, Sequence

from pickwell import tasks
from pickwell.campaign.open_campaign import OpenCampaign
from pickwell.items import Round
from pickwell.report.galleries import Gallery, Picked, thumbnail
from pickwell.statistics.runs import RoundRow

SHOWN = 24
"""Picks of a round that its gallery shows."""


class TaskReport:
    """Counts classes and shows picks as thumbnails; `Report` of `report.py` beside a task's class does otherwise."""

    def __init__(self, campaign: OpenCampaign) -> None:
        self.campaign, self.pool = campaign, campaign.pool

    @property
    def legend(self) -> dict[str, str]:
        """The colours that the classes have in pictures."""
        return {}

    def notes(self, rows: Sequence[RoundRow]) -> tuple[str, ...]:
        """How it is measured."""
        return ()

    def warnings(self, values: Sequence[str]) -> tuple[str, ...]:
        """What is wrong with the labels that stand."""
        return ()

    def counts(self, values: Sequence[str]) -> tuple[Mapping[str, int], Mapping[str, int]]:
        """How many of these labels show each class, and the pixels of each."""
        return Counter(name for value in values for name in self.campaign.task.shown(value)), {}

    def gallery(self, question: Round, truth: Mapping[int, str]) -> Gallery:
        """The first picks of a round."""
        # Those drawn at random to measure on are no choice of the strategy's.
        chosen = [(p, self.pool.item(p.item).name) for p in question.picks if not p.held_out][:SHOWN]
        picks = tuple(
            Picked(p.item, name, p.rank, p.score, truth.get(p.item), thumbnail(self.pool, p.item)) for p, name in chosen
        )
        title = f"Round {question.number}: {question.strategy}"
        return Gallery(title, picks, f"{len(question.picks)} images asked.")


def task_report(campaign: OpenCampaign) -> TaskReport:
    """What the campaign's kind of task adds."""
    part = tasks.part(campaign.task, "report")
    found: TaskReport = part.Report(campaign) if part else TaskReport(campaign)
    return found
