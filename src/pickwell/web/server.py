"""Serving a campaign: addresses, links and the server's life."""

import getpass
import ipaddress
from collections.abc import Sequence
from pathlib import Path
from socket import AF_INET, AF_INET6, IPPROTO_TCP, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, gethostname, socket

import uvicorn

from pickwell.errors import SettingsError
from pickwell.spelling import NO_STEERING, STEERING, printable
from pickwell.web.application import LOOPBACK, create_app
from pickwell.web.connections import BACKLOG, Connection
from pickwell.web.desk import Desk
from pickwell.web.next_round import Loop
from pickwell.web.security import EVERYWHERE
from pickwell.web.tokens import Tokens


class Server:
    """A campaign's page on an address. It opens only to those with a personal link once there is one.

    Where others can come, by the address or by a further name that a tunnel or a proxy sends, one is made.
    """

    def __init__(
        self,
        root: Path,
        *,
        host: str | None = None,
        port: int | None = None,
        names: Sequence[str] = (),
        annotators: Sequence[str] = (),
    ) -> None:
        """`names` are further host names under which it is reached; each of `annotators` gets a new link."""
        self.desk = Desk(root)
        self.names = tuple(name.lower() for name in names)
        serve = self.desk.campaign.settings.serve
        self.host = (host or serve.host).lower()  # as browsers send it
        # Before the links, which name the port: 0 asks for any that is free.
        self._socket = _bound(self.host, serve.port if port is None else port)
        self.port = int(self._socket.getsockname()[1])
        self.local = is_loopback(self.host) and not self.names  # as far as is known, nobody else can come
        self.tokens = Tokens(root / "annotators.json")
        self.links = self._links(annotators)
        self.open = len(self.tokens) == 0  # everybody on this machine may label
        self.app = create_app(
            self.desk,
            loop=Loop(self.desk.campaign),
            hosts=(*LOOPBACK, self.host, *self.names, *_others(self.host)),
            tokens=None if self.open else self.tokens,
            annotator=_user() if self.open else "",
        )

    @property
    def url(self) -> str:
        """Where the page is; of a server at all addresses one that others can open, too."""
        host = [*self.names, *_others(self.host), self.host][0] if self.host in EVERYWHERE else self.host
        shown = f"[{host}]" if ":" in host else host
        return f"http://{shown}:{self.port}"

    def run(self) -> None:
        """Serves until it is interrupted."""
        # A browser keeps its connection open: Ctrl-C must not wait for it long.
        config = uvicorn.Config(
            self.app,
            http=Connection,
            backlog=BACKLOG,
            log_level="error",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=3,
        )
        try:
            uvicorn.Server(config).run(sockets=[self._socket])
        finally:
            self.desk.close()

    def _links(self, annotators: Sequence[str]) -> dict[str, str]:
        """New links by name: for those named, or else for somebody where others can come and nobody has one."""
        nobody = not (annotators or self.local or len(self.tokens))
        wanted = ["annotator"] if nobody else annotators
        for name in wanted:
            if not name.strip() or "/" in name or STEERING.search(name) or len(name) > 80:
                raise SettingsError(
                    f"annotator '{printable(name)}': a name has 1 to 80 characters, no slash, {NO_STEERING}; "
                    "choose another"
                )
        return {name: f"{self.url}/enter?token={self.tokens.renew(name)}" for name in wanted}


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's own."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _bound(host: str, port: int) -> socket:
    """A socket that listens already; SettingsError where it cannot."""
    # Only where a socket says that it speaks TCP does asyncio send each answer at once (TCP_NODELAY), not 40 ms later.
    listening = socket(AF_INET6 if ":" in host else AF_INET, SOCK_STREAM, IPPROTO_TCP)
    # A restarted server would else wait for the old connections of its port to time out.
    listening.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(128)  # so that whoever reads the address may use it at once
    except OSError as error:
        listening.close()
        raise SettingsError(
            f"cannot serve at {host}, port {port}: {error.strerror or error}; choose another --port (0: any free one)"
        ) from None
    return listening


def _others(host: str) -> tuple[str, ...]:
    """The names by which whoever listens on all addresses may be called: its own, beside those given."""
    return (gethostname().lower(),) if host in EVERYWHERE else ()


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
