"""demo: picks beside random ones, on real handwritten digits and, where there are any, on photographs."""

import os
import resource
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pickwell.cli import show
from pickwell.cli.options import Json
from pickwell.cli.terminal import plain

if TYPE_CHECKING:
    from pickwell.experiments.experiment import Experiment

DIGITS, PHOTOGRAPHS = "digits-demo", "photographs-demo"
MOST = 3000
"""Photographs of a folder that take part at most, beside a test set of up to 500: encoding them takes half a minute."""


def demo(
    folder: Annotated[
        Path | None, typer.Argument(help="Photographs, a folder a class; default: clothing in PICKWELL_DATA, if any.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Where the report and the campaigns are written.")] = Path("demo"),
    seed: Annotated[int, typer.Option(min=0, help="The first of the paired seeds.")] = 0,
    json: Json = False,
) -> None:
    """Run whole campaigns on real digits, and on photographs where there are any, with reports. Takes two minutes."""
    from pickwell.experiments.experiment import load

    began = time.perf_counter()
    facts: dict[str, Any] = {}
    if photographs := _photographs(folder):
        # Beside: a folder of results is of one experiment.
        facts["photographs"] = _run(photographs, seed, out.with_name(f"{out.name}-photographs"), silent=json)
    facts |= _run(load(DIGITS)[1], seed, out, silent=json)
    seconds, peak = time.perf_counter() - began, peak_mib()
    facts |= {"seconds": seconds, "peak_mib": peak}
    opened = [f"open {plain(each['report'])}" for each in (facts.get("photographs"), facts) if each]
    show.say(facts, f"took {seconds:.0f} s and {peak:.0f} MiB", *opened, json=json)


def _run(experiment: "Experiment", seed: int, out: Path, *, silent: bool) -> dict[str, Any]:
    """Runs an experiment; its runs and where its report is."""
    from pickwell.cli.live_run import run_live
    from pickwell.experiments.cells import grid
    from pickwell.experiments.results import cell_results
    from pickwell.experiments.run.results_folder import ResultsFolder
    from pickwell.report.experiment_page import report

    cells, results = grid(experiment, seeds=range(seed, seed + experiment.seeds)), ResultsFolder.at(out)
    # Side by side: a campaign so small uses one core.
    run_live(experiment, cells, results, jobs=os.cpu_count() or 1, silent=silent)
    path, _ = report(experiment, cells, results)
    return {"runs": _runs(cell_results.results(out, cells)[0]), "report": str(path)}


def _photographs(folder: Path | None) -> "Experiment | None":
    """The experiment on a folder of photographs, else on the clothes in the data folder; None where there are none."""
    from pickwell.data.sources import find
    from pickwell.experiments.experiment import load
    from pickwell.experiments.run.results_folder import DATA

    if folder is None:
        clothing = Path(os.environ.get(DATA, ".")) / "clothing" / "train"
        return load(PHOTOGRAPHS)[1] if clothing.is_dir() else None
    known = find(folder, labels_from_folders=True).listing()["known"].to_pylist()
    test = min(500, len(known) // 4)
    few = 2 * len(set(known))
    return load(PHOTOGRAPHS)[1].changed({
        "data.set": str(folder.absolute()), "data.test": test, "data.train": min(MOST, len(known) - test),
        "start.labels": few, "rounds.budget": few,
    })  # fmt: skip


def _runs(found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Per strategy and seed the accuracies, and of each query the share of absent classes and the monitors."""
    return [
        {
            "strategy": result["method"],
            "seed": result["seed"],
            "labels": [row["labels"] for row in result["rounds"]],
            "accuracy": [row["metrics"]["accuracy"] for row in result["rounds"]],
            "absent_share": [row["shares"]["absent"] for row in result["rounds"] if row["shares"]],
            "monitors": [row["monitors"] for row in result["rounds"] if row["shares"]],
        }
        for result in found
    ]


def peak_mib() -> float:
    """The most memory that this process, or one of its workers, has held, in MiB."""
    most = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return most / (1 << 20 if sys.platform == "darwin" else 1 << 10)
