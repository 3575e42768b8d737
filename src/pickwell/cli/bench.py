"""bench list, show, run, status, report: experiments by name."""

import os
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from pickwell.cli import show as said
from pickwell.cli.options import Json, Sets, changes
from pickwell.cli.terminal import plain
from pickwell.errors import PickwellError, SettingsError
from pickwell.report.text.phrases import DASH, plural

if TYPE_CHECKING:
    from pickwell.experiments.cells import Cell
    from pickwell.experiments.experiment import Experiment
    from pickwell.experiments.run.results_folder import ResultsFolder
    from pickwell.experiments.run.runner import Outcome

app = typer.Typer(help="Run the paper's experiments, or your own, and judge them.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="An experiment's name (bench list), or a .toml file.")]
Methods = Annotated[str | None, typer.Option("--strategies", help="Only these methods, with commas.")]
Seeds = Annotated[str | None, typer.Option(help="How many seeds (10), or which (0,3,7 or 5-9; one alone: 4,).")]
Out = Annotated[Path | None, typer.Option(help="The results folder; default results/NAME.")]
Data = Annotated[Path | None, typer.Option(help="The folder of data sets; default $PICKWELL_DATA.")]
Pictures = Annotated[
    bool,
    typer.Option(
        "--pictures/--no-pictures",
        help="Show the first picks of each round in the report. Leave them out where photographs may not be passed on.",
    ),
]
AnyCode = Annotated[bool, typer.Option("--any-code", help="Count cells that another version of the code made.")]


@app.command("list")
def list_(json: Json = False) -> None:
    """List the experiments by name."""
    from pickwell.experiments.experiment import available

    found = {name: _about(path) for name, path in available().items()}
    table = Table("name", "cells", "what", box=None, header_style="bold")
    for name, facts in found.items():
        table.add_row(plain(name), str(facts.get("cells", DASH)), plain(facts.get("title") or facts["error"]))
    said.say(found, table, json=json)


def _about(path: Path) -> dict[str, Any]:
    """An experiment's title and how many cells it has; what is wrong, where the file is none of an experiment."""
    from pickwell.experiments.cells import grid
    from pickwell.experiments.experiment import Experiment

    try:
        experiment = Experiment.read(path)
        return {"title": experiment.title, "cells": len(grid(experiment))}
    except PickwellError as error:
        return {"error": str(error)}


@app.command()
def show(name: Name, set_: Sets = None, json: Json = False) -> None:
    """Print an experiment as TOML; save it, change it, and run it by its path."""
    experiment = _load(name, set_)[1]
    said.say(experiment.dump(), Text(experiment.toml()), json=json)


@app.command()
def run(
    name: Name,
    strategies: Methods = None,
    seeds: Seeds = None,
    set_: Sets = None,
    jobs: Annotated[int, typer.Option(min=1, help="How many cells at a time, each in a process of its own.")] = 1,
    executor: Annotated[
        str | None,
        typer.Option(
            envvar="PICKWELL_EXECUTOR",
            help="What runs them: serial, processes, ray, or another package's; default by --jobs.",
        ),
    ] = None,
    ray_address: Annotated[
        str | None,
        typer.Option(envvar="RAY_ADDRESS", help="The Ray cluster's HOST:PORT; default: one of this machine."),
    ] = None,
    out: Out = None,
    data: Data = None,
    retry: Annotated[bool, typer.Option("--retry", help="Run cells that failed before once more.")] = False,
    any_code: AnyCode = False,
    pictures: Pictures = True,
    json: Json = False,
) -> None:
    """Run what is not finished yet, then write the report. Stop it when you like: the same command goes on.

    Ends with 1 where a cell has failed.
    """
    from pickwell.cli.live_run import run_live
    from pickwell.experiments.run.results_folder import ResultsFolder
    from pickwell.experiments.run.runner import State
    from pickwell.report.experiment_page import report as write

    stem, experiment = _load(name, set_)
    root = out or Path("results") / stem
    results = ResultsFolder.at(root, data, retry=retry, any_code=any_code)
    cells = _cells(experiment, strategies, seeds)
    if ray_address:
        os.environ["RAY_ADDRESS"] = ray_address
    outcomes = run_live(experiment, cells, results, jobs=jobs, executor_name=executor, silent=json)
    facts: dict[str, Any] = {"states": _counts(outcomes), "report": None, "notes": []}
    lines = [_sentence(outcomes)]
    if State.FINISHED in facts["states"]:
        path, notes = write(experiment, _reported(experiment, cells, root), results, pictures=pictures)
        facts |= {"report": str(path), "notes": notes}
        lines += said.wrote(path, notes)
    problems = {str(outcome.cell): outcome.sentence for outcome in outcomes if outcome.sentence}
    said.say({**facts, "problems": problems}, *lines, json=json)
    if any(outcome.state in (State.FAILED, State.DIVERGED) for outcome in outcomes):
        raise typer.Exit(1)


@app.command()
def status(
    name: Name, strategies: Methods = None, seeds: Seeds = None, set_: Sets = None, out: Out = None,
    any_code: AnyCode = False, json: Json = False,
) -> None:  # fmt: skip
    """Say which cells are finished, running, waiting or failed."""
    from pickwell.experiments.run.runner import State, states

    _, cells, results = _results(name, strategies, seeds, set_, out, any_code)
    outcomes = list(states(cells, results))
    table = Table("method", *(str(state) for state in State), box=None, header_style="bold")
    for method in dict.fromkeys(cell.method for cell in cells):
        counts = _counts([outcome for outcome in outcomes if outcome.cell.method == method])
        table.add_row(plain(method), *(str(counts[state]) for state in State))
    problems = [plain(f"{outcome.cell}: {outcome.sentence}") for outcome in outcomes if outcome.sentence]
    facts = {"states": _counts(outcomes), "cells": [_facts(outcome) for outcome in outcomes]}
    said.say(facts, table, *problems, _sentence(outcomes), json=json)


@app.command()
def report(
    name: Name, strategies: Methods = None, seeds: Seeds = None, set_: Sets = None, out: Out = None,
    any_code: AnyCode = False, pictures: Pictures = True, json: Json = False,
) -> None:  # fmt: skip
    """Judge the finished cells: report.html, figures, tables."""
    from pickwell.report.experiment_page import report as write

    experiment, cells, results = _results(name, strategies, seeds, set_, out, any_code)
    path, notes = write(experiment, cells, results, pictures=pictures)
    said.say({"report": str(path), "notes": notes}, *said.wrote(path, notes), json=json)


def _load(name: str, sets: list[str] | None) -> "tuple[str, Experiment]":
    from pickwell.experiments.experiment import load

    stem, experiment = load(name)
    return stem, experiment.changed(changes(sets)) if sets else experiment


def _results(
    name: str, strategies: str | None, seeds: str | None, sets: list[str] | None, out: Path | None, any_code: bool
) -> "tuple[Experiment, list[Cell], ResultsFolder]":
    """The experiment of a results folder: as it was last run there, unless settings or another one are named."""
    from pickwell.experiments.cells import known
    from pickwell.experiments.run.results_folder import ResultsFolder, check_folder, check_same

    stem, experiment = _load(name, sets)
    root = out or Path("results") / stem
    kept = check_folder(root)
    if kept and not sets and kept.title == experiment.title:
        experiment = kept
    check_same(experiment, root)
    methods = parse_methods(strategies or "", experiment.methods)
    cells = _cells(experiment, strategies, seeds) if seeds else known(experiment, root, methods)
    return experiment, cells, ResultsFolder.at(root, any_code=any_code)


def _reported(experiment: "Experiment", asked: "list[Cell]", root: Path) -> "list[Cell]":
    """Those that were run now, and of all methods and seeds those that earlier runs have begun."""
    from pickwell.experiments.cells import begun, known

    there, named = begun(root), {str(cell) for cell in asked}
    return [cell for cell in known(experiment, root) if str(cell) in named or cell.stem in there]


def _cells(experiment: "Experiment", strategies: str | None, seeds: str | None) -> "list[Cell]":
    from pickwell.experiments.cells import grid

    return grid(experiment, parse_methods(strategies or "", experiment.methods), parse_seeds(seeds))


def parse_methods(text: str, methods: Collection[str]) -> list[str]:
    """The names in a list with commas; those of `methods` may have commas in them.

    >>> parse_methods("random, vaal, 8 bits,vaal", ["random", "vaal", "vaal, 8 bits"])
    ['random', 'vaal, 8 bits', 'vaal']
    """
    parts, found = [part.strip() for part in text.split(",") if part.strip()], []
    while parts:
        ends = range(len(parts), 1, -1)  # the longest name first
        end = next((end for end in ends if ", ".join(parts[:end]) in methods), 1)
        found.append(", ".join(parts[:end]))
        del parts[:end]
    return found


def parse_seeds(text: str | None) -> list[int]:
    """The seeds that `10`, `0,3,7` or `5-9` mean; [] for the experiment's own.

    >>> parse_seeds("3"), parse_seeds("4,"), parse_seeds("0,5-7")
    ([0, 1, 2], [4], [0, 5, 6, 7])
    """
    if text is None:
        return []
    try:
        if "," not in text and "-" not in text:
            found = list(range(int(text)))
        else:
            spans = [part.partition("-") for part in text.split(",") if part.strip()]
            found = [seed for low, dash, high in spans for seed in range(int(low), int(high if dash else low) + 1)]
    except ValueError:
        found = []
    if not found:
        raise SettingsError(f"--seeds {text}: give how many (10) or which (0,3,7 or 5-9); one alone has a comma: 0,")
    return found


def _counts(outcomes: "list[Outcome]") -> Counter[str]:
    return Counter(str(outcome.state) for outcome in outcomes)


def _sentence(outcomes: "list[Outcome]") -> str:
    counts = _counts(outcomes)
    said_of_each = ", ".join(f"{count} {state}" for state, count in counts.items())
    more = "; --retry runs those that failed once more" if {"failed", "diverged"} & counts.keys() else ""
    return f"{plural(len(outcomes), 'cell')}: {said_of_each}{more}"


def _facts(outcome: "Outcome") -> dict[str, Any]:
    cell = outcome.cell
    return {
        "method": cell.method, "variant": cell.variant, "seed": cell.seed, "state": str(outcome.state),
        "folder": cell.folder, "sentence": outcome.sentence,
    }  # fmt: skip
