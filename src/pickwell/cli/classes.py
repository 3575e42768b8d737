"""classes: the class list, and changing it."""

from typing import Annotated

import typer

from pickwell.cli import show
from pickwell.cli.options import Json, Where
from pickwell.cli.terminal import plain
from pickwell.errors import SettingsError


def classes(
    where: Where,
    what: Annotated[str | None, typer.Argument(metavar="[add|rename]", help="By default they are listed.")] = None,
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="New classes; or OLD NEW.")] = None,
    json: Json = False,
) -> None:
    """List the classes with their labels, add some, or rename one in every label of it."""
    from pickwell.campaign import class_list
    from pickwell.campaign.status import status_of

    given = names or []
    with show.opened(where) as campaign:
        if what == "add" and given:
            class_list.add(campaign, given)
        elif what == "rename" and len(given) == 2:
            class_list.rename(campaign, *given)
        elif what is not None:
            raise SettingsError(
                f"'{' '.join([what, *given])}' is no change of classes; say add NAME..., or rename OLD NEW"
            )
        counts = status_of(campaign).classes
    show.say({"classes": counts}, *(f"{plain(name)} {count:,}" for name, count in counts.items()), json=json)
