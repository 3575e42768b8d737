"""pool, relocate, renew, remove: what a pool holds and left out, where its images are, and which change or go."""

from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from pickwell.cli import show
from pickwell.cli.options import Json, Where
from pickwell.cli.terminal import plain


def pool(
    where: Where,
    set_aside: Annotated[bool, typer.Option("--set-aside", help="List what was left out, and why.")] = False,
    missing: Annotated[bool, typer.Option("--missing", help="List the images that are not where they were.")] = False,
    json: Json = False,
) -> None:
    """Say where the pool's images come from, and what was left out."""
    with show.opened(where) as campaign:
        held = campaign.pool
        aside = held.set_aside()
        places = [placed.source.place for placed in held.sources]
        gone = held.manifest.names(campaign.missing())
        images, counts = len(held), [len(held.manifest.names_of(index)) for index in range(len(places))]
    reasons = dict(Counter(reason for _, reason, _ in aside).most_common())
    sources = [{"place": place, "images": count} for place, count in zip(places, counts, strict=True)]
    values: dict[str, Any] = {"images": images, "sources": sources, "set_aside": reasons, "missing": len(gone)}
    lines: list[Any] = [f"{count:,} files of {plain(place)}" for place, count in zip(places, counts, strict=True)]
    lines.append(f"{len(aside):,} set aside" + "".join(f", {count:,} {reason}" for reason, count in reasons.items()))
    if set_aside:
        values["files"] = [dict(zip(("name", "reason", "detail"), one, strict=True)) for one in aside]
        table = Table("name", "reason", "detail", box=None, header_style="bold")
        for one in aside:
            table.add_row(*map(plain, one))
        lines.append(table)
    lines += [f"{len(gone):,} missing"] if gone else []
    if missing:
        values["missing_files"] = gone
        lines += map(plain, gone)
    show.say(values, *lines, json=json)


def relocate(
    where: Where,
    old: Annotated[Path, typer.Argument(metavar="OLD", help="The folder where the images, or some of them, were.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The folder where they are now.")],
    json: Json = False,
) -> None:
    """Say that images have moved; labels, ids and what was encoded stay."""
    with show.opened(where) as campaign:
        found = campaign.relocate(old, new)
    show.say({"found": found}, f"{found:,} images are in {plain(new)} now", json=json)


def renew(
    where: Where,
    keep_labels: Annotated[
        bool, typer.Option("--keep-labels", help="The labels are right of the new pictures, too.")
    ] = False,
    json: Json = False,
) -> None:
    """Take files that were overwritten as they are now; labels of the pictures before are taken back."""
    with show.campaign(where, quiet=json) as campaign:
        renewed, unsaid = campaign.renew(keep_labels=keep_labels)
    sentence = f"{len(renewed):,} images are the pictures that are there now; {len(unsaid):,} lost their label"
    show.say({"renewed": renewed, "unlabelled": unsaid}, sentence if renewed else "nothing to renew", json=json)


def remove(
    where: Where,
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="The images, by their names.")] = None,
    missing: Annotated[bool, typer.Option("--missing", help="The images that are not where they were.")] = False,
    json: Json = False,
) -> None:
    """Retire images: they are never asked for nor learnt from again; undo takes it back."""
    with show.opened(where) as campaign:
        items = campaign.missing().tolist() if missing else []
        removed = campaign.remove([*items, *campaign.pool.find(names or ())])
        left = len(campaign.pool) - len(campaign.store.ignored())
    sentence = f"removed {len(removed):,} images, {left:,} are left; pickwell undo {plain(where)} takes it back"
    show.say({"removed": removed, "left": left}, sentence if removed else "nothing to remove", json=json)
