"""What the commands print: for people, or one JSON object for programs."""

import json as encoder
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.table import Table

from pickwell.cli.bars import Bars
from pickwell.cli.terminal import plain, printable

if TYPE_CHECKING:
    from pickwell.campaign.progress_file import ProgressFile
    from pickwell.campaign.status import Status
    from pickwell.data.pool import Pool, Summary
    from pickwell.items import Label, Metrics, Round
    from pickwell.loop.campaign import Campaign
    from pickwell.store import Told
    from pickwell.tasks import Task

SHOWN = 20
"""Rows of a long list that a person is shown; the file has them all."""
UNBROKEN = 1 << 16
"""The width of a file or a pipe, in letters."""

out = Console(highlight=False, emoji=False, soft_wrap=True)


def laid_out(table: Table) -> None:
    """Prints a table; where no person looks, lines are as long as they must be, so that a name is found in one."""
    wide = out if out.is_terminal else Console(file=out.file, width=UNBROKEN, highlight=False, emoji=False)
    wide.print(table)


def as_json(values: Any) -> None:
    """Prints one JSON object on stdout."""
    if sys.stdout:
        sys.stdout.write(encoder.dumps(values, default=str) + "\n")
        sys.stdout.flush()  # a full disk is told of now, not when python ends


@contextmanager
def progress(*, quiet: bool) -> Iterator[Bars]:
    """Progress bars on stderr for whatever takes longer than a second."""
    with Bars(quiet=quiet) as bars:
        yield bars


class Watching:
    """Tells the bars and the file how far something has come, and the file the losses."""

    def __init__(self, bars: Bars, file: "ProgressFile") -> None:
        self.bars, self.file = bars, file

    def __call__(self, what: str, done: int, total: int) -> None:
        self.bars(what, done, total)
        self.file(what, done, total)

    def losses(self, values: Mapping[str, float]) -> None:
        """Tells the losses of a training step."""
        self.file.losses(values)


@contextmanager
def campaign(where: Path, *, quiet: bool) -> "Iterator[tuple[Campaign, Bars]]":
    """An open campaign, and the bars that it reports to; the page reads the same from a file."""
    from pickwell.campaign.progress_file import ProgressFile
    from pickwell.loop.campaign import Campaign

    told = ProgressFile(where)
    with progress(quiet=quiet) as bars, closing(told), Campaign(where, progress=Watching(bars, told)) as opened:
        yield opened, bars


def summary(read: "Summary", where: Path, *, json: bool) -> None:
    """What was read and what was set aside, and why."""
    if json:
        return as_json({"campaign": str(where), **asdict(read)})
    out.print(plain(read))
    for sentence in read.spoilt:
        out.print(f"  {plain(sentence)}")
    out.print(f"next: pickwell ask {plain(where)} --budget {min(50, read.total)}")
    return None


def question(asked: "Round", pool: "Pool", listed: Path, *, instead: bool, json: bool) -> None:
    """The picks that wait, best first."""
    if json:
        picks = [{**asdict(pick), "name": pool.item(pick.item).name} for pick in asked.picks]
        facts = {"round": asked.number, "strategy": asked.strategy, "list": str(listed), "picks": picks}
        return as_json(facts)
    if instead:
        out.print("nothing is labelled yet, so this round is drawn at random")
    table = Table("rank", "item", "name", "score", box=None, header_style="bold")
    for pick in asked.waiting[:SHOWN]:
        score = "random, to measure on" if pick.held_out else f"{pick.score:.4f}"
        table.add_row(str(pick.rank), str(pick.item), plain(pool.item(pick.item).name), score)
    laid_out(table)
    more = len(asked.waiting) - SHOWN
    if more > 0:
        out.print(f"and {more} more")
    out.print(f"round {asked.number}: {len(asked.waiting)} images to label, listed in {plain(listed)}")
    return None


def note(sentence: str) -> None:
    """A sentence, if there is one, on stderr: programs read stdout."""
    if sentence:
        typer.echo(f"pickwell: {printable(sentence)}", err=True)


def told(kept: "Told", waiting: int, *, json: bool) -> None:
    """What a tell kept, and how many picks of the open round still wait."""
    if json:
        return as_json({**asdict(kept), "waiting": waiting})
    out.print(
        f"kept {kept.answered} labels ({kept.corrected} of them corrections), {kept.skipped} skipped, "
        f"{kept.ignored} ignored; {waiting} of the round wait"
    )
    return None


def waiting(where: Path) -> None:
    """How people answer what a run asks; on stderr, because a program reads stdout when the run has ended."""
    typer.echo(
        f"answer in a browser (pickwell serve {printable(where)}) or with pickwell ask and tell in another terminal; "
        "Ctrl-C ends, every label is kept",
        err=True,
    )


def metrics(reached: "Metrics", task: "Task", *, json: bool) -> None:
    """How well the model does."""
    if json:
        return as_json(asdict(reached))
    if task.metric not in reached.values:
        out.print(f"trained on {reached.labels} labels; nothing is held out yet to measure on")
        return None
    from pickwell.campaign.status import interval_of

    beside = "".join(f", {words} {reached.values[name]:.3f}" for name, words in task.beside.items())
    out.print(
        f"{task.figure} {reached.values[task.metric]:.3f}{_between(interval_of(reached))}{beside} "
        f"on {reached.measured} images never trained on, after {reached.labels} labels"
    )
    return None


def status(now: "Status", task: "Task", *, json: bool) -> None:
    """Where a campaign stands."""
    if json:
        return as_json(asdict(now))
    table = Table.grid(padding=(0, 2))
    for name, value in _status_rows(now, task):
        table.add_row(name, plain(value))
    laid_out(table)
    warnings(now.monitors)
    out.print(f"next: {plain(now.advice)}")
    return None


def warnings(monitors: "Mapping[str, Any]") -> None:
    """What a strategy's monitors warn of."""
    for sentence in monitors.get("warnings", ()):
        out.print(f"[bold]warning[/bold]  {plain(sentence)}")


def _status_rows(now: "Status", task: "Task") -> Iterator[tuple[str, str]]:
    yield "campaign", f"{now.name} ({now.strategy})"
    yield "pool", f"{now.images} images, {now.set_aside} set aside"
    yield "labelled", f"{now.labelled}, of them {now.held_out} held out to measure on; {now.ignored} never to label"
    if now.classes:
        yield task.counted, ", ".join(f"{name} {count}" for name, count in now.classes.items())
    opened = f"; round {now.open_round} is open, {now.waiting} wait" if now.open_round else ""
    yield "rounds", f"{now.rounds} closed{opened}"
    if now.score is not None:
        yield task.figure, f"{now.score:.3f}{_between(now.interval)} on {now.measured} images never trained on"
    if "active_units" in now.monitors:
        yield "VAE", f"{now.monitors['active_units']} of {now.monitors['latent_units']} latent units active"
    if "discriminator_auc" in now.monitors:
        held = now.monitors.get("discriminator_auc_held_out")
        beside = "" if held is None else f", {held:.2f} on labelled images that it never saw"
        yield "D", f"AUC {now.monitors['discriminator_auc']:.2f}{beside}"


def undone(labels: "Sequence[Label]", *, json: bool) -> None:
    """What was taken back."""
    if json:
        return as_json({"undone": [label.item for label in labels]})
    out.print(f"took back {len(labels)} labels" if labels else "nothing to take back: no label is kept")
    return None


def closed(question: "Round", *, json: bool) -> None:
    """What became of the open round."""
    if json:
        return as_json({"round": question.number, "returned": len(question.waiting)})
    out.print(f"closed round {question.number}; {len(question.waiting)} unanswered images are back in the pool")
    return None


def written(path: Path, notes: Sequence[str] | None = None, *, json: bool) -> None:
    """Where a report was written, and what is to be known of an experiment's."""
    if json:
        return as_json({"report": str(path)} | ({} if notes is None else {"notes": [*notes]}))
    for sentence in notes or ():
        out.print(plain(sentence))
    out.print(f"wrote {plain(path)}")
    return None


def _between(interval: tuple[float, float] | None) -> str:
    return f" (95 % interval {interval[0]:.3f} to {interval[1]:.3f})" if interval else ""
