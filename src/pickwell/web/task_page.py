"""What the page shows of a kind of task."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter

from pickwell import tasks
from pickwell.campaign.opened import OpenCampaign
from pickwell.tasks import Task


def _nothing(campaign: OpenCampaign, number: int, item: int) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True)
class TaskPage:
    """The templates in which images are labelled, one by one and many at once, and what else a kind's `PAGE` says.

    `coloured`: each class has a colour. `drawn_on`: pictures are as large as their images, to draw on. `facts` of a
    pick of a round are sent with it; `router` are further addresses of the API.
    """

    label: str = "label"
    grid: str = "grid"
    coloured: bool = False
    drawn_on: bool = False
    facts: Callable[[OpenCampaign, int, int], Mapping[str, Any]] = _nothing
    router: APIRouter = field(default_factory=APIRouter)


def page_of(task: Task) -> TaskPage:
    """The `PAGE` of `page.py` beside the task's class; a plain one where there is none."""
    part = tasks.part(task, "page")
    found: TaskPage = part.PAGE if part else TaskPage()
    return found
