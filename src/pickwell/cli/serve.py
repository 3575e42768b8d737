"""serve: the labelling page."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from pickwell.cli import show
from pickwell.cli.terminal import plain
from pickwell.errors import SettingsError


def serve(
    where: Annotated[Path, typer.Argument(metavar="DIR", help="The campaign's directory.")],
    host: Annotated[str | None, typer.Option(help="The address to listen on; default: the setting, 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="The port; 0 takes any free one.")] = None,
    name: Annotated[list[str] | None, typer.Option(help="A further host name by which this server is reached.")] = None,
    annotator: Annotated[list[str] | None, typer.Option(help="Make a new personal link for this annotator.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object, for programs.")] = False,
) -> None:
    """Open the labelling page and the dashboard in a browser; the loop goes on by itself."""
    try:
        from pickwell.web.server import Server
    except ModuleNotFoundError as error:
        raise SettingsError(f"the page needs {error.name}; install it with: pip install 'pickwell[web]'") from None
    server = Server(where, host=host, port=port, names=name or (), annotators=annotator or ())
    if json:
        show.as_json({"url": server.url, "links": server.links})
    else:
        show.out.print(f"open {plain(server.url)} in a browser; Ctrl-C ends, every label is kept")
        for who, link in server.links.items():
            show.out.print(f"{plain(who)}'s personal link, shown this once: {plain(link)}")
    # A program that started this waits for the address.
    sys.stdout.flush()
    server.run()
