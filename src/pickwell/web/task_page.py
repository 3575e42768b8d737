"""What the page shows of a kind of task."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter

from pickwell import tasks
from pickwell.campaign.open_campaign import OpenCampaign
from pickwell.tasks import Task


@dataclass(frozen=True)
class TaskPage:
    """What a kind's `PAGE` says: `templates` that take the place of others, such as that of the page "label".

    `coloured`: each class has a colour. `drawn_on`: pictures are as large as their images, to draw on. `facts` of a
    pick of a round are sent with it; `router` are further addresses of the API.
    """

    templates: Mapping[str, str] = field(default_factory=dict)
    coloured: bool = False
    drawn_on: bool = False
    facts: Callable[[OpenCampaign, int, int], Mapping[str, Any]] = lambda campaign, number, item: {}
    router: APIRouter = field(default_factory=APIRouter)


def page_of(task: Task) -> TaskPage:
    """The `PAGE` of `page.py` beside the task's class; a plain one where there is none."""
    part = tasks.part(task, "page")
    found: TaskPage = part.PAGE if part else TaskPage()
    return found
