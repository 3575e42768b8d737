"""The JSON API: what the page uses, others may."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from pickwell.campaign.open_campaign import OpenCampaign
from pickwell.items import Kind, Pick
from pickwell.spelling import NO_STEERING, STEERING
from pickwell.store import Remark, Told
from pickwell.web import dashboard_figures
from pickwell.web.agreement import ADJUDICATED, standing
from pickwell.web.desk import Desk, Who, source
from pickwell.web.next_round import Loop
from pickwell.web.pictures import Pictures, Size

# Up to 2**53 the numbers of JavaScript are exact.
Item = Annotated[int, Field(ge=0, lt=2**53, description="An image's id: its place in the pool.")]
Address = Annotated[int, Path(ge=0, lt=2**53)]
"""An image's id in a path."""
Number = Annotated[int, Path(ge=1, lt=2**31)]
"""A round's number in a path."""


def _spelt(name: str) -> str:
    if STEERING.search(name):
        raise ValueError(f"a name has {NO_STEERING}")
    return name


# No slash in a name: leases are held by `name/tab`.
Name = Annotated[
    str, StringConstraints(max_length=80, pattern=r"^[^/]*$", strip_whitespace=True), AfterValidator(_spelt)
]
Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Seconds = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]
MOST = 200
"""Items of one request."""


class Body(BaseModel):
    """Who asks: a name (that of the token, where there are tokens), and the tab that keeps the leases.

    `made` says of which campaign a page is: a page left open while another is served must not change that one.
    """

    model_config = ConfigDict(extra="forbid")
    annotator: Name = ""
    tab: Key = "api"
    made: str = Field(default="", max_length=64)


class Wanted(Body):
    """How many picks are wanted, those held already included."""

    n: int = Field(default=12, ge=1, le=MOST)


class Event(Body):
    """A change. `event` is made by the client: the same one again is acknowledged, and changes nothing."""

    event: Key


class Telling(Event):
    """What is said of some items at once, how long it took, and whether the model's suggestion had been looked at."""

    items: list[Item] = Field(min_length=1, max_length=MOST)
    seconds: Seconds | None = None
    via: Annotated[str, StringConstraints(pattern="^(page|grid|api)$")] = "api"
    suggestion_seen: bool = False


class Undoing(Event):
    """What is to be taken back: the event `of`, or else what was told last at this tab."""

    of: Key | None = None


class Answer(Telling):
    """A class name for some items."""

    label: str = Field(max_length=1000)


class Remarking(Event):
    """A flag and a note beside the label."""

    item: Item
    flag: bool = False
    note: str = Field(default="", max_length=4000)


class Asking(Body):
    """How many images to pick next; by default what the settings say."""

    budget: int | None = Field(default=None, ge=1, le=1_000_000)


def _served(name: str) -> Any:
    """The dependency on what the application serves under this name."""

    async def served(request: Request) -> Any:
        return getattr(request.app.state, name)

    return Depends(served)


AtDesk = Annotated[Desk, _served("desk")]
Opened = Annotated[OpenCampaign, _served("campaign")]
AtLoop = Annotated[Loop, _served("loop")]
router = APIRouter()


def who(request: Request, body: Body) -> Who:
    """Who asks: the name of the token, where there are tokens, else the one in the body."""
    if body.made not in ("", request.app.state.desk.made):
        raise HTTPException(421, "another campaign is served here than when this page was opened; open it anew")
    return Who(request.state.name or body.annotator, body.tab)


@router.post("/next")
def next_(request: Request, body: Wanted, at: AtDesk) -> dict[str, Any]:
    """Leases the next picks for one annotator alone; asking again renews the leases and gives the same picks."""
    picks = at.next(who(request, body), body.n)
    current = dashboard_figures.progress(at.store.progress())
    return {"picks": shown(request, at.campaign, picks, current["number"] if current else 0), "round": current}


def shown(request: Request, at: OpenCampaign, picks: list[Pick], number: int) -> list[dict[str, Any]]:
    """Picks of a round with what is known of each."""
    return [
        {
            **known,
            "rank": pick.rank,
            "score": None if pick.held_out else dashboard_figures.plain(pick.score),
            "held_out": pick.held_out,
            **request.app.state.page.facts(at, number, pick.item),
        }
        for pick, known in zip(picks, facts(at, [(pick.item, number) for pick in picks]), strict=True)
    ]


def facts(at: OpenCampaign, asked: Sequence[tuple[int, int]]) -> list[dict[str, Any]]:
    """What is known of items, each asked for in a round: name, size, remark, and what the model makes of it."""
    items = [item for item, _ in asked]
    remarks, hints = at.store.remarks(items), {number: at.hints.of(number) for number in {of for _, of in asked}}
    known = zip(asked, at.pool.manifest.names(items), at.pool.manifest.sizes(items).tolist(), strict=True)
    return [
        {
            "item": item,
            "round": number,
            "name": name,
            "width": width,
            "height": height,
            "flag": item in remarks and remarks[item].flag,
            "note": remarks[item].note if item in remarks else "",
            "hint": hint.model_dump(exclude={"item"}) if (hint := hints[number].get(item)) else None,
        }
        for (item, number), name, (width, height) in known
    ]


@router.post("/answer")
def answer(request: Request, body: Answer, at: AtDesk, then: AtLoop) -> Mapping[str, Any]:
    """Labels some items. When this answers, the label is on the disk."""
    return _tell(request, body, Kind.ANSWER, body.label, at, then)


@router.post("/skip")
def skip(request: Request, body: Telling, at: AtDesk, then: AtLoop) -> Mapping[str, Any]:
    """Leaves items for another time."""
    return _tell(request, body, Kind.SKIP, None, at, then)


@router.post("/ignore")
def ignore(request: Request, body: Telling, at: AtDesk, then: AtLoop) -> Mapping[str, Any]:
    """Takes items out: they cannot be labelled, and are never asked again."""
    return _tell(request, body, Kind.IGNORE, None, at, then)


def _tell(request: Request, body: Telling, kind: Kind, value: str | None, at: Desk, then: Loop) -> Mapping[str, Any]:
    how = source(body.via, seen=body.suggestion_seen)
    told = at.tell(who(request, body), body.items, kind, value, body.event, seconds=body.seconds, source=how)
    return acknowledged(told, at, then)


def acknowledged(told: Told, at: Desk, then: Loop) -> Mapping[str, Any]:
    """What became of what was told; the loop, which looks by itself now and then, is spared the wait."""
    if told.closed is not None or at.campaign.settings.loop.when == "every":
        then.look()
    return asdict(told)


@router.post("/undo")
def undo(request: Request, body: Undoing, at: AtDesk) -> Mapping[str, Any]:
    """Takes back what was told last at this tab, to any depth, or an event of one's own; the items are held again."""
    return {"items": [label.item for label in at.undo(who(request, body), body.event, body.of)]}


@router.post("/remark")
def remark(request: Request, body: Remarking, at: Opened) -> Mapping[str, Any]:
    """Keeps a flag and a note beside an item."""
    at.answers.sizes([body.item])  # for its error
    made = Remark(body.item, body.event, who(request, body).name, body.flag, body.note)
    return asdict(at.store.keep_remark(made))


@router.post("/heartbeat")
def heartbeat(request: Request, body: Body, at: AtDesk) -> Mapping[str, int]:
    """Renews the leases of this tab."""
    return {"held": at.renew(who(request, body))}


@router.post("/release")
def release(request: Request, body: Body, at: AtDesk) -> Mapping[str, int]:
    """Gives back what this tab holds."""
    return {"released": at.store.release(who(request, body).holder)}


@router.get("/status")
def status(at: Opened, then: AtLoop) -> Mapping[str, Any]:
    """The open round's progress, and what the loop is doing."""
    state = then.state()
    doing = state.doing and {**dashboard_figures.plain(asdict(state.doing)), "seconds_left": state.doing.seconds_left}
    return {
        "campaign": at.settings.name,
        "position": at.store.position(),
        "round": dashboard_figures.progress(at.store.progress()),
        "loop": {**asdict(state), "doing": doing},
    }


@router.get("/history")
def history(
    request: Request, at: Opened, annotator: Name = "", limit: Annotated[int, Query(ge=1, le=MOST)] = 60
) -> Mapping[str, Any]:
    """What this annotator decided last, the newest at the end; what was undone is left out."""
    name = request.state.name or annotator
    # A window of the newest entries, those of others among them, rather than a log of years.
    stand = standing(at.store.log(after=max(0, at.store.position() - 10 * limit)), without=ADJUDICATED)
    newest = sorted((e for e in stand.values() if e.annotator == name), key=lambda entry: entry.id)[-limit:]
    known = facts(at, [(entry.item, entry.round) for entry in newest])
    said = [{"kind": entry.kind, "label": entry.value, "event": entry.event} for entry in newest]
    return {"entries": [{**one, **what} for one, what in zip(known, said, strict=True)]}


@router.get("/rounds")
def rounds(at: Opened) -> Mapping[str, Any]:
    """Every round: strategy, state, times, monitors."""
    return {"rounds": dashboard_figures.rounds(at.store)}


@router.post("/rounds", status_code=202)
def ask(request: Request, body: Asking, then: AtLoop) -> Mapping[str, bool]:
    """Starts fitting and picking the next round, in another process."""
    who(request, body)  # nobody at a page of another campaign
    then.ask(body.budget)
    return {"started": True}


@router.get("/rounds/{number}")
def round_(
    request: Request,
    at: Opened,
    number: Number,
    start: Annotated[int, Query(ge=0, lt=2**31)] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 60,
) -> Mapping[str, Any]:
    """A page of a round's picks in rank order, with the labels that they have."""
    found = at.store.round(number)
    picks = list(islice(found.picks, start, start + limit))
    labels = at.store.labels([pick.item for pick in picks])
    said = dict(zip(labels.items.tolist(), labels.values, strict=True))
    page = [
        {**one, "state": pick.state, "label": said.get(pick.item)}
        for one, pick in zip(shown(request, at, picks, number), picks, strict=True)
    ]
    return {"round": number, "total": len(found.picks), "start": start, "picks": page}


@router.get("/rounds/{number}/map", response_class=Response)
def map_(at: Opened, number: Number) -> Response:
    """The pool on the plane of the strategy's latents when the round was asked, as bytes; 404 where there is no map.

    uint32 N, then little-endian columns of N: item (uint32), x, y in [0, 1] and score (float32; NaN: none), state
    (uint8: 0 unlabelled, 1 labelled before the round, 2 picked in it).
    """
    picked = np.array([pick.item for pick in at.store.round(number).picks], dtype=np.int64)
    found = at.maps.of(number, picked)
    return Response(status_code=404) if found is None else Response(found, media_type="application/octet-stream")


@router.get("/dashboard")
def dashboard(at: Opened) -> Mapping[str, Any]:
    """The dashboard's figures."""
    return dashboard_figures.dashboard(at)


@router.get("/images/{item}", response_class=Response)
def image(
    request: Request,
    at: Annotated[Pictures, _served("pictures")],
    item: Address,
    size: Size = Size.FULL,
    made: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """An image, encoded anew and bounded."""
    picture = at.get(item, size)
    # The images of a campaign do not change, but another one may be served here tomorrow.
    fresh = "max-age=604800, immutable" if made == request.app.state.desk.made else "no-cache"
    # Private, because a shared cache would show them without a token.
    headers = {"ETag": f'"{picture.tag}"', "Cache-Control": f"private, {fresh}"}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(picture.data, media_type=picture.media, headers=headers)
