"""The API of disputed images: where as many annotators as were asked do not agree, and somebody decides."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import Field, StringConstraints

from pickwell.items import Kind
from pickwell.web.api import MOST, AtDesk, AtLoop, Event, Item, Opened, who

router = APIRouter(prefix="/api", responses={"4XX": {"description": "Refused: `error` says why and what to do next."}})


class Decision(Event):
    """What a disputed item is: a class, or with another `kind` to be skipped or ignored."""

    item: Item
    kind: Annotated[str, StringConstraints(pattern="^(answer|skip|ignore)$")] = "answer"
    label: str | None = Field(default=None, max_length=1000)


@router.get("/disputes")
def disputes(at: Opened, limit: Annotated[int, Query(ge=1, le=MOST)] = 60) -> Mapping[str, Any]:
    """The images that wait for a decision, with what each annotator says."""
    found = at.store.disputes(limit)
    ids = [dispute.item for dispute in found]
    hints = {number: at.hints.of(number) for number in {dispute.round for dispute in found}}
    remarks = at.store.remarks(ids)
    facts = zip(found, at.pool.manifest.names(ids), at.pool.manifest.sizes(ids).tolist(), strict=True)
    shown = [
        {
            "item": one.item,
            "round": one.round,
            "rank": one.rank,
            "name": name,
            "width": size[0],
            "height": size[1],
            "note": remarks[one.item].note if one.item in remarks else "",
            "opinions": [{"annotator": o.annotator, "kind": o.kind, "label": o.value} for o in one.opinions],
            "hint": hint.model_dump(exclude={"item"}) if (hint := hints[one.round].get(one.item)) else None,
        }
        for one, name, size in facts
    ]
    return {"disputes": shown}


@router.post("/decide")
def decide(request: Request, body: Decision, at: AtDesk, then: AtLoop) -> Mapping[str, Any]:
    """Decides what a disputed image is; kept with the source "adjudicated". `/api/undo` takes it back."""
    told = at.decide(who(request, body), body.item, Kind(body.kind), body.label, body.event)
    if told.closed is not None:
        then.look()
    return asdict(told)
