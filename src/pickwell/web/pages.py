"""The HTML pages: frames that the scripts fill from the API."""

from importlib.resources import files
from typing import Any

from fastapi import APIRouter, Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.responses import HTMLResponse, RedirectResponse, Response

from pickwell.campaign.open_campaign import OpenCampaign
from pickwell.colours import colours
from pickwell.web.api import Opened
from pickwell.web.classes import may_change
from pickwell.web.task_page import TaskPage

router = APIRouter(include_in_schema=False)
_templates = Environment(
    loader=FileSystemLoader(str(files("pickwell.web") / "templates")),
    autoescape=select_autoescape(default=True),
    # A misspelt name is an error, not a gap in the page.
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
YEAR = 365 * 86_400


def _page(request: Request, name: str, title: str, **values: Any) -> HTMLResponse:
    """A page's frame with what its scripts must know before they ask."""
    campaign: OpenCampaign = request.app.state.campaign
    campaign.refresh()
    of_task: TaskPage = request.app.state.page
    told = {
        "campaign": campaign.settings.name,
        "made": request.app.state.desk.made,
        "kind": campaign.task.kind,
        "classes": campaign.task.classes,
        "annotator": request.state.name or request.app.state.annotator,
        "fixed": bool(request.state.name),
        "lease": campaign.settings.serve.lease_seconds,
        "overlap": campaign.settings.serve.overlap,
        "editor": may_change(request) and bool(campaign.task.classes),
    }
    told |= {"colours": colours(len(campaign.task.classes))} if of_task.coloured else {}
    template = _templates.get_template(f"{of_task.templates.get(name, name)}.html")
    return HTMLResponse(template.render(page=name, title=title, told=told, **values))


def _serve(path: str, name: str) -> None:
    """A page at a path: labelling one by one or many at once, deciding what annotators disagree about, the figures."""

    @router.get(path)
    def page(request: Request) -> Response:
        return _page(request, name, name.capitalize())


for at in ("/", "/grid", "/decide", "/dashboard"):
    _serve(at, at[1:] or "label")


@router.get("/docs")
def docs(request: Request) -> Response:
    """The API in words, from its own description."""
    return _page(request, "docs", "API", operations=_operations(request.app.openapi()))


def _operations(described: dict[str, Any]) -> list[dict[str, Any]]:
    """What the API's own description says, as the template shows it."""
    schemas = described["components"]["schemas"]
    return [
        {
            "method": method.upper(),
            "path": path,
            "says": operation.get("description", ""),
            "takes": _takes(operation, schemas),
        }
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    ]


def _takes(operation: dict[str, Any], schemas: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """Names, types and whether it must be given, of parameters and of the body's entries."""
    found = [(p["name"], _kind(p["schema"]), p["required"]) for p in operation.get("parameters", ())]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    schema = schemas.get(body.get("$ref", "").rpartition("/")[2], {})
    required = schema.get("required", ())
    return found + [(name, _kind(entry), name in required) for name, entry in schema.get("properties", {}).items()]


def _kind(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}"
    return str(schema.get("type") or schema.get("$ref", "").rpartition("/")[2].lower())


@router.get("/enter")
def enter(request: Request, token: str = "") -> Response:
    """Takes a personal link, and leaves its secret in a cookie rather than in the address."""
    tokens = request.app.state.tokens
    if tokens is None:
        return RedirectResponse("/", 303)
    if tokens.who(token) is None:
        return HTMLResponse(_templates.get_template("refused.html").render(), 401)
    answer = RedirectResponse("/", 303)
    # Lax, not strict: the link is followed from a letter or a chat, and the redirect must carry the cookie.
    https = request.url.scheme == "https"
    answer.set_cookie(tokens.cookie, token, max_age=YEAR, httponly=True, samesite="lax", secure=https)
    return answer


@router.get("/favicon.ico")
def favicon() -> Response:
    """The tab's icon."""
    return RedirectResponse("/static/icon.svg", 308)


@router.get("/healthz")
def healthz(campaign: Opened) -> dict[str, bool]:
    """That the server and its database answer."""
    campaign.store.position()
    return {"ok": True}
