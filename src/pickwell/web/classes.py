"""The API of the class list, for those who may change it."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from pydantic import Field

from pickwell.campaign import class_list
from pickwell.web.api import Body, Opened, who

router = APIRouter()


class Change(Body):
    """A new class; or with `old` the new name of that one."""

    name: str = Field(max_length=1000)
    old: str = Field(default="", max_length=1000)


def may_change(request: Request) -> bool:
    """Whether who asks may change the class list: everybody where nobody needs a link, else those named for it."""
    editors = request.app.state.campaign.settings.serve.editors
    return request.app.state.tokens is None or request.state.name in editors


@router.post("/classes")
def change(request: Request, body: Change, at: Opened) -> Mapping[str, Sequence[str] | Any]:
    """Adds a class, or renames one in every label of it."""
    who(request, body)  # nobody at a page of another campaign
    if not may_change(request):
        raise HTTPException(403, "the class list is changed by those whom serve.editors of campaign.toml names")
    if body.old:
        class_list.rename(at, body.old, body.name)
    else:
        class_list.add(at, [body.name])
    return {"classes": at.task.classes}
