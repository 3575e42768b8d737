"""demo: VAAL beside random on real handwritten digits, the experiment digits-demo."""

import os
import resource
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from pickwell.cli import show
from pickwell.cli.options import Json
from pickwell.cli.terminal import plain

PRESET = "digits-demo"


def demo(
    out: Annotated[Path, typer.Option(help="Where the report and the campaigns are written.")] = Path("demo"),
    seed: Annotated[int, typer.Option(min=0, help="The first of the paired seeds.")] = 0,
    json: Json = False,
) -> None:
    """Run a whole campaign on real digits: VAAL beside random, with a report. Takes about two minutes on two cores."""
    from pickwell.cli.live_run import run_live
    from pickwell.experiments.cells import grid
    from pickwell.experiments.experiment import load
    from pickwell.experiments.results import cell_results
    from pickwell.experiments.run.results_folder import ResultsFolder
    from pickwell.report.experiment_page import report

    began, experiment = time.perf_counter(), load(PRESET)[1]
    cells, results = grid(experiment, seeds=range(seed, seed + experiment.seeds)), ResultsFolder.at(out)
    # Side by side: a campaign so small uses one core.
    run_live(experiment, cells, results, jobs=os.cpu_count() or 1, silent=json)
    path, _ = report(experiment, cells, results)
    seconds, peak = time.perf_counter() - began, peak_mib()
    facts = {
        "runs": _runs(cell_results.results(out, cells)[0]),
        "report": str(path),
        "seconds": seconds,
        "peak_mib": peak,
    }
    show.say(facts, f"took {seconds:.0f} s and {peak:.0f} MiB", f"open {plain(path)}", json=json)


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
