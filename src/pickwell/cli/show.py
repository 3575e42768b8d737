"""What the commands print: for people, or one JSON object for programs."""

import json as encoder
import shlex
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console, RenderableType
from rich.table import Table

from pickwell.cli.bars import Bars
from pickwell.cli.terminal import plain
from pickwell.errors import few
from pickwell.report.text.phrases import duration
from pickwell.spelling import alike, printable

if TYPE_CHECKING:
    from pickwell.campaign.open_campaign import OpenCampaign
    from pickwell.campaign.status import Status
    from pickwell.config import Settings
    from pickwell.data.pool import Pool
    from pickwell.data.summary import Summary
    from pickwell.items import Metrics, Round
    from pickwell.loop.campaign import Campaign
    from pickwell.prediction.doubts import Doubt
    from pickwell.tasks import Task

SHOWN = 20
"""Rows of a long list that a person is shown; the file has them all."""
UNBROKEN = 1 << 16
"""The width of a file or a pipe, in letters."""

out = Console(highlight=False, emoji=False, soft_wrap=True)


def say(values: Any, *lines: RenderableType, json: bool) -> None:
    """Prints `values` as one JSON object on stdout, or `lines`, in rich's markup, for people."""
    if not json:
        for line in lines:
            laid_out(line) if isinstance(line, Table) else out.print(line)
    elif sys.stdout:
        sys.stdout.write(encoder.dumps(values, default=str) + "\n")
        sys.stdout.flush()  # a full disk is told of now, not when python ends


def laid_out(table: Table) -> None:
    """Prints a table; where no person looks, lines are as long as they must be, so that a name is found in one."""
    wide = out if out.is_terminal else Console(file=out.file, width=UNBROKEN, highlight=False, emoji=False)
    wide.print(table)


def note(sentence: str) -> None:
    """A sentence, if there is one, on stderr: programs read stdout."""
    if sentence:
        typer.echo(f"pickwell: {printable(sentence)}", err=True)


def opened(where: Path) -> "OpenCampaign":
    """A campaign for what needs no torch."""
    from pickwell.campaign.open_campaign import OpenCampaign

    return OpenCampaign(where)


@contextmanager
def campaign(where: Path, *, quiet: bool) -> "Iterator[Campaign]":
    """An open campaign that reports to bars, and to a file for the page."""
    from pickwell.campaign.progress_file import ProgressFile
    from pickwell.loop.campaign import Campaign

    with (
        Bars(quiet=quiet) as bars,
        closing(ProgressFile(where, also=bars)) as progress,
        Campaign(where, progress=progress) as opened,
    ):
        yield opened


def summary(read: "Summary", where: Path, *beside: str, json: bool, **values: Any) -> None:
    """What was read and what was set aside, and why, with more to be said `beside` it, and to programs as `values`."""
    spoilt = [f"  {plain(sentence)}" for sentence in read.spoilt]
    following = f"next: pickwell ask {plain(where)} --budget {min(50, read.total)}"
    aside = [f"what was set aside, and why: pickwell pool {plain(where)} --set-aside"] if read.set_aside else []
    say({"campaign": str(where), **asdict(read), **values}, plain(read), *spoilt, *aside, *beside, following, json=json)


def created(read: "Summary", where: Path, images: str, campaign: "OpenCampaign", encoded: int, *, json: bool) -> None:
    """The same of a new campaign, with its classes, what its images suit, and the parts they are split into."""
    from pickwell.data.layouts import splits

    task, counts = campaign.task, Counter[str]()
    for name, count in campaign.pool.manifest.counts().items():
        counts[alike(name, task.classes) or name] += count
    known = dict(zip(task.classes, read.shown, strict=False)) if task.masked else counts
    classes = {name: known.get(name, 0) for name in task.classes}
    said = [f"{name} {count:,}" for name, count in classes.items()] if known else list(classes)
    whole = known and not task.masked and campaign.test is None and Path(images).is_dir()
    parts = splits(campaign.pool.manifest.names_of()) if whole else []
    in_masks = f" of {read.masks:,} masks, {read.void:.1%} of whose pixels are void" if read.shown else ""
    shown = f"{len(classes)} classes: {plain(few(said, SHOWN))}{in_masks}"
    beside = [shown, *masks(read, task), _suits(campaign.settings, encoded)]
    if count := sum(counts.values()):
        learn = f"pickwell tell {plain(where)} --known"
        beside.append(f"{count:,} images came with a label, kept for pickwell run; to learn from them: {learn}")
    beside += [_test_offer(parts, images, where)] if parts else []
    facts = {
        "encoder": campaign.settings.encoder,
        "encoded": encoded,
        "classes": classes,
        "known": count,
        "splits": parts,
    }
    summary(read, where, *beside, json=json, **facts)


def masks(read: "Summary", task: "Task") -> list[str]:
    """What looks wrong with the masks that were read, and what would mend it."""
    if not read.masks:  # an addition that brought none says nothing of them
        return []
    lost = [name for name, count in zip(task.classes, read.shown, strict=False) if not count]
    given = task.settings.mask_values
    value = "255" if read.void and "255" not in given else "VALUE"
    mended = f"begin again with --mask-values {value}={lost[0] if lost else 'CLASS'}"
    said = []
    if lost:
        names = few([repr(name) for name in lost])
        said.append(f"no mask shows {names}; if another value stands for it, {mended}")
    if read.blank:
        said.append(f"{read.blank:,} masks are void throughout; if that means a class, {mended}")
    return [plain(f"warning: {sentence}") for sentence in said]


def _test_offer(parts: Sequence[str], images: str, where: Path) -> str:
    """How to measure on one of the parts that folders split the images into, the first, and pick from the last."""
    test, rest = (str(Path(images) / part) for part in (parts[0], parts[-1]))
    command = ["pickwell", "init", str(where), "--images", rest, "--test", test, "--labels-from-folders"]
    return plain(f"the pool holds {', '.join(parts)}; to measure on one, remove {where}, then: {shlex.join(command)}")


def _suits(chosen: "Settings", encoded: int) -> str:
    """What learns from the images, and by which rule that was chosen."""
    from pickwell.config import NO_ENCODER

    model, strategy = chosen.model.name, chosen.strategy["name"]
    if chosen.training.finetune:
        return (
            f"{model} learns from the pixels, beginning with what {plain(chosen.encoder)} knows, and {strategy} picks "
            "(from scratch: --encoder none)"
        )
    if chosen.encoder == NO_ENCODER:
        return (
            f"{model} learns from the pixels, from scratch, and {strategy} picks; encoders are for 32 pixels and more"
        )
    learns = f"{model} learns from its features, and {strategy} picks (from pixels: --encoder none)"
    return f"{encoded_by(chosen.encoder, encoded)}; {learns}"


def encoded_by(encoder: str, count: int) -> str:
    """How many images an encoder has looked at."""
    seen = f"{count:,} images encoded" if count else "images are encoded when that is first needed"
    return f"{seen} by {plain(encoder)}"


def question(
    asked: "Round", pool: "Pool", listed: Path, monitors: Mapping[str, Any], *, instead: bool, json: bool
) -> None:
    """The picks that wait, best first, and what the strategy's monitors warn of."""
    names = {pick.item: pool.item(pick.item).name for pick in asked.picks}
    table = Table("rank", "item", "name", "score", box=None, header_style="bold")
    for pick in asked.waiting[:SHOWN]:
        score = "random, to measure on" if pick.held_out else f"{pick.score:.4f}"
        table.add_row(str(pick.rank), str(pick.item), plain(names[pick.item]), score)
    more = len(asked.waiting) - SHOWN
    drawn = "drawn at random" if asked.strategy == "random" else f"a cover of the pool ({asked.strategy})"
    picks = [{**asdict(pick), "name": names[pick.item]} for pick in asked.picks]
    say(
        {"round": asked.number, "strategy": asked.strategy, "list": str(listed), "picks": picks},
        *([f"nothing is labelled yet, so this round is {drawn}"] if instead else []),
        table,
        *([f"and {more} more"] if more > 0 else []),
        f"round {asked.number}: {len(asked.waiting)} images to label, listed in {plain(listed)}",
        *_warnings(monitors.get("warnings", ())),
        json=json,
    )


def doubts(found: "Sequence[Doubt]", names: Sequence[str], listed: Path, where: Path, *, json: bool) -> None:
    """Labels that the others contradict, the likeliest wrong first."""
    table = Table("item", "name", "stands", "likely", "rather", "likely", box=None, header_style="bold")
    for one, name in zip(found[:SHOWN], names, strict=False):
        table.add_row(
            str(one.item), plain(name), plain(one.label), f"{one.likely:.2f}", plain(one.suggestion),
            f"{one.suggestion_likely:.2f}",
        )  # fmt: skip
    told = f"{len(found):,} labels are contradicted by the others, listed in {plain(listed)}"
    following = f"next: fill in its label column where one is wrong, and pickwell tell {plain(where)} {plain(listed)}"
    rows = [asdict(one) | {"name": name} for one, name in zip(found, names, strict=True)]
    say(
        {"list": str(listed), "doubts": rows},
        *([table] if found else []),
        told,
        *([following] if found else []),
        json=json,
    )


def metrics(reached: "Metrics", task: "Task", *, json: bool) -> None:
    """How well the model does."""
    from pickwell.campaign.status import interval_of

    sentence = f"trained on {reached.labels} labels; nothing is held out yet to measure on"
    if task.metric in reached.values:
        beside = "".join(f", {words} {reached.values[name]:.3f}" for name, words in task.beside.items())
        sentence = (
            f"{task.figure} {reached.values[task.metric]:.3f}{_between(interval_of(reached))}{beside} "
            f"on {reached.measured} images never trained on, after {reached.labels} labels"
        )
    say(asdict(reached), sentence, json=json)


def status(now: "Status", task: "Task", *, json: bool) -> None:
    """Where a campaign stands."""
    table = Table.grid(padding=(0, 2))
    for name, value in _status_rows(now, task):
        table.add_row(name, plain(value))
    lost = now.unreadable
    spoilt = f"masks that can be read no more: {len(lost):,} ({few(lost)}); put them back, or tell them again"
    warnings = [*now.monitors.get("warnings", ()), *([spoilt] if lost else [])]
    say(asdict(now), table, *_warnings(warnings), f"next: {plain(now.advice)}", json=json)


def _warnings(sentences: Sequence[str]) -> list[str]:
    return [f"[bold]warning[/bold]  {plain(sentence)}" for sentence in sentences]


def _status_rows(now: "Status", task: "Task") -> Iterator[tuple[str, str]]:
    yield "campaign", f"{now.name} ({now.strategy})"
    missing = f", {now.missing} missing" if now.missing else ""
    yield "pool", f"{now.images} images, {now.set_aside} set aside{missing}"
    if now.grouped:
        yield "groups", f"{now.grouped} images belong with others, and are learnt from or measured on with them"
    yield "labelled", f"{now.labelled}, of them {now.held_out} held out to measure on; {now.ignored} never to label"
    if now.classes:
        yield task.counted, ", ".join(f"{name} {count}" for name, count in now.classes.items())
    opened = f"; round {now.open_round} is open, {now.waiting} wait" if now.open_round else ""
    yield "rounds", f"{now.rounds} closed{opened}"
    if now.score is not None:
        yield task.figure, f"{now.score:.3f}{_between(now.interval)} on {now.measured} images never trained on"
    for one in now.expected:
        yield f"after {one.labels}", f"{task.figure} {one.share:.3f} expected{_between((one.low, one.high))}"
    if (busy := now.doing) is not None:
        left = "" if busy.seconds_left is None else f", about {duration(busy.seconds_left)} left"
        yield "now", f"{busy.what}: {busy.done:,} of {busy.total:,}{left}"
    if "active_units" in now.monitors:
        yield "VAE", f"{now.monitors['active_units']} of {now.monitors['latent_units']} latent units active"
    if "discriminator_auc" in now.monitors:
        held = now.monitors.get("discriminator_auc_held_out")
        beside = "" if held is None else f", {held:.2f} on labelled images that it never saw"
        yield "D", f"AUC {now.monitors['discriminator_auc']:.2f}{beside}"


def wrote(path: Path, notes: Sequence[str] = ()) -> list[str]:
    """Where a report was written, after what is to be known of it."""
    return [*map(plain, notes), f"wrote {plain(path)}"]


def _between(interval: tuple[float, float] | None) -> str:
    return f" (95 % interval {interval[0]:.3f} to {interval[1]:.3f})" if interval else ""
