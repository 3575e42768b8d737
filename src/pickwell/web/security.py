"""What every request must pass: the right host, our own origin, a token where one is asked for, a bounded body."""

from asyncio import Semaphore
from collections.abc import Collection, Mapping
from contextlib import nullcontext
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pickwell.web.tokens import Tokens

BODY = 1 << 18
"""The largest body of a request, in bytes."""
LARGER: Mapping[str, int] = {"/api/masks": 1 << 23}
"""Where more may be sent."""
AT_DATABASE = 24
"""Requests that ask the database at once. Threads serve them, of which there are 40: where the database is locked, the
others are left for images and files."""
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - to know them by
"""What a server that listens on all addresses of its machine is told."""
OPEN = ("/enter", "/static/")
"""What a browser may fetch before it has shown a token."""
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Nothing is loaded from, framed by or told to another site; no inline script or style runs."""


class Gate:
    """Lets a request through to the application, or answers it with 4xx. `state.name` is the token's annotator."""

    def __init__(self, app: ASGIApp, hosts: Collection[str], tokens: Tokens | None) -> None:
        self.app, self.hosts, self.tokens = app, frozenset(hosts), tokens
        self._everywhere = not self.hosts.isdisjoint(EVERYWHERE)
        self._at_database = Semaphore(AT_DATABASE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        if scope["type"] != "http":  # no websocket is served
            return None
        answer = _dressed(send)
        headers = Headers(scope=scope)
        most = LARGER.get(str(scope["path"]), BODY)
        if refusal := self._refusal(scope, headers, most):
            return await refusal(scope, receive, answer)
        async with self._at_database if _asks(str(scope["path"])) else nullcontext():
            return await self.app(scope, _bounded(receive, most), answer)

    def _refusal(self, scope: Scope, headers: Headers, most: int) -> JSONResponse | None:
        """The answer to a request that may not pass; None lets it pass, and names its annotator."""
        host, path = headers.get("host", ""), str(scope["path"])
        # Against DNS rebinding: a page whose own name comes to point here still sends that name, and never a number.
        name = _name(host)
        if name not in self.hosts and not (self._everywhere and _is_number(name)):
            return _refuse(421, "this address is not served here; open the one that pickwell serve printed")
        if scope["method"] not in ("GET", "HEAD", "OPTIONS") and (refusal := _foreign(headers, host)):
            return refusal
        length = headers.get("content-length", "0")
        if length.isdecimal() and int(length) > most:
            return _refuse(413, f"the request is larger than {most} bytes; send less at once")
        who = self.tokens.who(_secret(headers, self.tokens.cookie)) if self.tokens is not None else ""
        if who is None and not path.startswith(OPEN):
            return _refuse(401, "a personal link is needed; ask whoever started pickwell serve for yours")
        # Starlette shows it as `request.state.name`.
        scope.setdefault("state", {})["name"] = who or ""
        return None


def _asks(path: str) -> bool:
    """Whether a request may have to wait for the database."""
    return path == "/healthz" or (path.startswith("/api/") and not path.startswith("/api/images/"))


def _refuse(code: int, sentence: str) -> JSONResponse:
    return JSONResponse({"error": sentence}, code)


def _name(host: str) -> str:
    """A Host header's name without its port, in small letters."""
    try:
        return (urlsplit(f"//{host}").hostname or "") if host else ""
    except ValueError:
        return ""


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _foreign(headers: Headers, host: str) -> JSONResponse | None:
    """The refusal of a change that another site's page asks for."""
    # Browsers say where a change comes from by one header or both; programs send neither.
    own = f"http://{host}", f"https://{host}"
    if headers.get("origin", own[0]) not in own or headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        return _refuse(403, "another site's page may not change anything here; use the page of this server")
    # Another site's forms can send text without asking the browser's leave, JSON only after a preflight, which fails.
    if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        return _refuse(415, "a request's body must be JSON; send it with Content-Type: application/json")
    return None


def _secret(headers: Headers, cookie: str) -> str:
    """The token in a request: a program's header, or else a browser's cookie."""
    kind, _, secret = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return secret.strip()
    # As browsers read it: Python's own SimpleCookie gives up at any odd cookie of another server on this host.
    return cookie_parser(headers.get("cookie", "")).get(cookie, "")


def _bounded(receive: Receive, most: int) -> Receive:
    """Hands on a request's body, up to the limit: one that is longer than it said it was breaks off."""
    left = most

    async def receiving() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        return {"type": "http.disconnect"} if left < 0 else message

    return receiving


def _dressed(send: Send) -> Send:
    """Adds the headers that every answer has."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                # What a route says itself stays: it knows better.
                headers.setdefault(name, value)
            headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return sending
