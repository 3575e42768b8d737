"""serve: the labelling page."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from pickwell.cli import show
from pickwell.cli.options import Json, Where
from pickwell.cli.terminal import plain
from pickwell.errors import SettingsError
from pickwell.report.text.phrases import listing

if TYPE_CHECKING:
    from pickwell.web.server import Server


def serve(
    where: Where,
    host: Annotated[str | None, typer.Option(help="The address to listen on; default: the setting, 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="The port; 0 takes any free one.")] = None,
    name: Annotated[list[str] | None, typer.Option(help="A further host name by which this server is reached.")] = None,
    annotator: Annotated[list[str] | None, typer.Option(help="Make a new personal link for this annotator.")] = None,
    json: Json = False,
) -> None:
    """Open the labelling page and the dashboard in a browser; the loop goes on by itself."""
    try:
        from pickwell.web.server import Server
    except ModuleNotFoundError as error:
        raise SettingsError(f"the page needs {error.name}; install it with: pip install 'pickwell[web]'") from None
    server = Server(where, host=host, port=port, names=name or (), annotators=annotator or ())
    show.say({"url": server.url, "open": server.open, "links": server.links}, *_entrance(server), json=json)
    # A program that started this waits for the address.
    sys.stdout.flush()
    server.run()


def _entrance(server: "Server") -> Iterator[str]:
    """Where the page is, who may enter, and how that is changed."""
    url = plain(server.url)
    if server.open:
        yield f"open {url} in a browser; Ctrl-C ends, every label is kept"
        return
    yield f"{url} is open to those with a personal link; Ctrl-C ends, every label is kept"
    for name, link in server.links.items():
        yield f"{plain(name)}'s personal link, shown this once: {plain(link)}"
    if earlier := [name for name in server.tokens if name not in server.links]:
        whose = f"{plain(listing(earlier))} {'has one' if len(earlier) == 1 else 'have theirs'}"
        yield f"{whose} from before; --annotator NAME makes a new one, and ends the old one of that name"
    if elsewhere := [name for name in server.names if name not in server.url]:
        yield f"who comes by {plain(listing(elsewhere))} puts that address in place of {url}"
    if server.local:
        there = plain(server.tokens.path)
        yield f"links are asked for as long as {there} is there; remove it to serve this computer alone"
