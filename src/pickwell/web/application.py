"""The application: the API, the pages, their files, and the gate before them all."""

import logging
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from functools import lru_cache
from importlib.resources import files
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from pickwell.errors import BudgetError, BusyError, PickwellError, PoolError, RoundError, StoreError
from pickwell.web import api, classes, disputes, pages
from pickwell.web.desk import Desk
from pickwell.web.next_round import Loop
from pickwell.web.pictures import NATIVE, Pictures
from pickwell.web.security import Gate
from pickwell.web.task_page import page_of
from pickwell.web.tokens import Tokens

logger = logging.getLogger("pickwell")

LOOPBACK = ("127.0.0.1", "localhost", "::1")
CODES: tuple[tuple[type[PickwellError], int], ...] = (
    (RoundError, 409),
    (BudgetError, 409),
    (BusyError, 503),
    (StoreError, 503),
    (PoolError, 404),
)
"""The status of each kind of error; of any other it is 422."""
BUSY = "the campaign's database is in use by another process at the moment; wait a little, and try again"
AWAY = "the campaign's database cannot serve at the moment; whoever started pickwell serve can read there why"
REFUSED: dict[int | str, dict[str, Any]] = {"4XX": {"description": "Refused: `error` says why and what to do next."}}


def create_app(
    desk: Desk,
    *,
    loop: Loop | None = None,
    hosts: Collection[str] = LOOPBACK,
    tokens: Tokens | None = None,
    annotator: str = "",
) -> ASGIApp:
    """The page of a campaign, served under these host names; with `tokens`, to those who have one.

    `annotator` is the name that a page proposes. Without a `loop` nothing is fitted or asked by itself.
    """
    campaign = desk.campaign
    watched = loop or Loop(campaign)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        if loop is not None:
            loop.start()
        yield
        if loop is not None:
            loop.stop()

    # FastAPI's own documentation pages load their scripts from another host; `pages` has one of ours.
    app = FastAPI(title="Pickwell", version="1", docs_url=None, redoc_url=None, lifespan=life)
    app.state.desk, app.state.campaign, app.state.loop = desk, campaign, watched
    app.state.tokens, app.state.annotator = tokens, annotator
    largest, page = campaign.settings.serve.picture_size, page_of(campaign.task)
    app.state.page = page
    app.state.pictures = Pictures(campaign.pool, max(largest, NATIVE) if page.drawn_on else largest)
    for router in (api.router, classes.router, disputes.router, page.router):
        app.include_router(router, prefix="/api", responses=REFUSED)
    app.include_router(pages.router)
    app.mount("/static", StaticFiles(directory=str(files("pickwell.web") / "static")))
    app.add_exception_handler(PickwellError, _said)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _refused)
    # Outermost, so that nothing of a refused request is parsed.
    return Gate(app, hosts, tokens)


def _said(_: Request, error: Exception) -> Response:
    """A known error as its sentence; of the database, whose place and user are not for annotators, one of ours."""
    code = next((code for kind, code in CODES if isinstance(error, kind)), 422)
    if code != 503:
        return _error(str(error), code)
    _tell(str(error))
    return _error(BUSY if isinstance(error, BusyError) else AWAY, code)


@lru_cache(maxsize=64)
def _tell(sentence: str) -> None:
    """Says once what is wrong to whoever started the server."""
    logger.warning(sentence)


def _invalid(_: Request, error: Exception) -> Response:
    """The first thing that is wrong, without the value itself: it may hold what no answer can."""
    assert isinstance(error, RequestValidationError)
    first: dict[str, Any] = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return _error(f"{where}: {first['msg']}; see /docs for what is allowed", 422)


def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    unknown = error.status_code == 404 and error.detail == "Not Found"
    told = "there is no such address for this campaign; see /docs for those there are" if unknown else error.detail
    return _error(str(told), error.status_code, error.headers)


def _error(text: str, code: int, headers: Mapping[str, str] | None = None) -> Response:
    # Halves of surrogate pairs cannot be encoded.
    return JSONResponse({"error": text.encode("utf-8", "replace").decode()}, code, headers)
