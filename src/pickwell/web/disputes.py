"""The API of disputed images: where as many annotators as were asked do not agree, and somebody decides."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import Field, StringConstraints

from pickwell.items import Kind
from pickwell.web.api import MOST, AtDesk, AtLoop, Event, Item, Opened, acknowledged, facts, who

router = APIRouter()


class Decision(Event):
    """What a disputed item is: a class, or with another `kind` to be skipped or ignored."""

    item: Item
    kind: Annotated[str, StringConstraints(pattern="^(answer|skip|ignore)$")] = "answer"
    label: str | None = Field(default=None, max_length=1000)


@router.get("/disputes")
def disputes(at: Opened, limit: Annotated[int, Query(ge=1, le=MOST)] = 60) -> Mapping[str, Any]:
    """The images that wait for a decision, with what each annotator says."""
    found = at.store.disputes(limit)
    shown = [
        {
            **known,
            "rank": one.rank,
            "opinions": [{"annotator": o.annotator, "kind": o.kind, "label": o.value} for o in one.opinions],
        }
        for one, known in zip(found, facts(at, [(one.item, one.round) for one in found]), strict=True)
    ]
    return {"disputes": shown}


@router.post("/decide")
def decide(request: Request, body: Decision, at: AtDesk, then: AtLoop) -> Mapping[str, Any]:
    """Decides what a disputed image is; kept with the source "adjudicated". `/api/undo` takes it back."""
    told = at.decide(who(request, body), body.item, Kind(body.kind), body.label, body.event)
    return acknowledged(told, at, then)
