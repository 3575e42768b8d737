"""demo: VAAL beside random on real handwritten digits."""

from pathlib import Path
from typing import Annotated

import typer

from pickwell.cli import show
from pickwell.cli.terminal import plain


def demo(
    out: Annotated[Path, typer.Option(help="Where the report and the campaigns are written.")] = Path("demo"),
    seed: Annotated[int, typer.Option(min=0, help="The first of the paired seeds.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object, for programs.")] = False,
) -> None:
    """Run a whole campaign on real digits: VAAL beside random, with a report. Takes two to three minutes."""
    from pickwell.demo import demo as run

    measured = run(out, seed, silent=json)
    if json:
        return show.as_json(measured.as_json())
    show.out.print(f"took {measured.seconds:.0f} s and {measured.peak_mib:.0f} MiB")
    show.out.print(f"open {plain(measured.report)}")
    return None
