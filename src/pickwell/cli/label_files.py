"""import, export: labels from and to the files of other tools."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pickwell.cli import show
from pickwell.cli.options import Json, Where
from pickwell.cli.terminal import plain
from pickwell.items import Kind, Label, PickState

if TYPE_CHECKING:
    from pickwell.campaign.open_campaign import OpenCampaign
    from pickwell.formats.exchange.found import Context
    from pickwell.formats.exchange.names import Names
    from pickwell.formats.importing import Gathered
    from pickwell.store import Told

LOCAL_FILES = "/data/local-files/?d="
"""The address at which Label Studio serves files of its machine."""

Format = Annotated[str, typer.Option("--format", help="e.g. csv, coco, label-studio; docs/formats.md has them all.")]


def import_(
    where: Where,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The label file, or the folder that the format is.")],
    format_: Format,
    skip_unknown: Annotated[
        bool, typer.Option("--skip-unknown", help="Leave out what the campaign does not have or what does not fit.")
    ] = False,
    asked_only: Annotated[
        bool, typer.Option("--asked-only", help="Refuse labels of images that were never asked.")
    ] = False,
    rename: Annotated[
        list[str] | None, typer.Option(metavar="THERE=HERE", help="A class that is called otherwise in the file.")
    ] = None,
    background: Annotated[
        str | None, typer.Option(help="The class of pixels that no shape covers; else they are ignored.")
    ] = None,
    json: Json = False,
) -> None:
    """Keep the labels of a file: all of it, or nothing."""
    from pickwell import formats
    from pickwell.formats.exchange.names import Names
    from pickwell.formats.importing import Importer, check_background, check_unpacked, rename_of

    with show.opened(where) as campaign:
        module = formats.named(format_, "read", campaign.settings.task.kind)
        names = Names(campaign.pool.manifest)
        context = _context(campaign, background, names)
        check_background(background, context)
        standing = campaign.store.standing()
        importer = Importer(
            context,
            campaign.pool.manifest,
            names,
            put=campaign.task.keep,
            check=campaign.task.check,
            rename=rename_of(rename or (), context),
            decided=_decided(campaign, standing),
        )
        check_unpacked(file)
        gathered = importer.gather(module.read(file, context), skip=skip_unknown, where=str(file))
        # Importing a file again changes nothing.
        said = {(one.item, one.kind, one.value) for one in standing}
        new = [one for one in gathered.labels if (one.item, one.kind, one.value) not in said]
        told = campaign.tell(new, imported=not asked_only, source=f"import {format_} {file.name}")
        _say_imported(told, gathered, len(gathered.labels) - len(new), json=json)


def export(
    where: Where,
    format_: Format,
    out: Annotated[Path, typer.Option(help="The file or folder to write; it must not be there yet.")],
    to_label: Annotated[
        bool, typer.Option("--to-label", help="Write the open round's to-label list instead of the labels.")
    ] = False,
    prefix: Annotated[
        str | None,
        typer.Option(help=f"What goes before an image's name in Label Studio's to-label tasks; else {LOCAL_FILES}."),
    ] = None,
    copies: Annotated[bool, typer.Option("--copies", help="Copy the images, where the format links to them.")] = False,
    json: Json = False,
) -> None:
    """Write the labels that stand, or the to-label list, to a new file or folder."""
    from pickwell import formats
    from pickwell.formats.exporting import labelled, question

    with show.opened(where) as campaign:
        doing = "ask" if to_label else "write"
        module = formats.named(format_, doing, campaign.settings.task.kind)
        given = {"--prefix": prefix is not None, "--copies": copies}
        formats.check_options(format_, doing, [option for option, is_given in given.items() if is_given])
        if to_label:
            before = LOCAL_FILES if prefix is None else prefix
            asked = question(campaign.store.current(), campaign.pool, before, copies=copies)
            module.ask(out, asked)
            count, what = len(asked.asked), "images to label"
        else:
            kinds = getattr(module, "KINDS", (Kind.ANSWER,))
            found = labelled(campaign.store.standing(), campaign.pool, campaign.task, kinds)
            module.write(out, found, replace(_context(campaign), copies=copies))
            other = sum(one.kind is not Kind.ANSWER for one in found)
            count, what = len(found), f"labels ({other:,} of them skips and ignores)" if other else "labels"
    show.say({"written": str(out), "count": count}, f"wrote {count:,} {what} to {plain(out)}", json=json)


def _context(campaign: "OpenCampaign", background: str | None = None, names: "Names | None" = None) -> "Context":
    """What a format may know of the campaign; with `names` also which images the pool has."""
    from pickwell.formats.exchange.found import Context

    task, given = campaign.settings.task, getattr(campaign.task, "given", ())
    knows = (lambda name: len(names.find(name)) == 1) if names else lambda _: True
    return Context(task.kind, task.classes, task.void, background, knows, given=given)


def _decided(campaign: "OpenCampaign", standing: list[Label]) -> set[int]:
    """The items of which a skip changes nothing: answered, ignored, or disputed."""
    question = campaign.store.current()
    disputed = {pick.item for pick in question.picks if pick.state is PickState.DISPUTED} if question else set()
    return disputed | {one.item for one in standing if one.kind is not Kind.SKIP}


def _say_imported(told: "Told", gathered: "Gathered", unchanged: int, *, json: bool) -> None:
    counts = {"unchanged": unchanged, "overlap": gathered.overlap, "pixels": gathered.pixels}
    lines = [
        f"kept {told.answered:,} labels ({told.corrected:,} of them corrections), {told.skipped:,} skipped, "
        f"{told.ignored:,} ignored; {unchanged:,} were known already"
    ]
    if gathered.problems:
        lines.append(plain(f"left out: {gathered.problems}"))
    if gathered.overlap:
        share = gathered.overlap / gathered.pixels
        lines.append(f"shapes of different classes overlap on {share:.2%} of the pixels; the upper ones count")
    show.say({**asdict(told), **counts, "left_out": gathered.problems}, *lines, json=json)
