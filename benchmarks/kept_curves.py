"""The curves kept in `results/` as a report judges them: `python -m benchmarks.kept_curves FILE FIRST STEP [BASELINE]`.

FIRST and STEP are the labels at first and of a round. Printed are each strategy's AUBC and its differences.
"""

import json
import sys
from pathlib import Path
from statistics import stdev

from pickwell.report.text.entries import chance, spread, verdict
from pickwell.statistics.aubc import area
from pickwell.statistics.judgement import judge
from pickwell.statistics.runs import RoundRow, Run

NO_SETTINGS = ("seed", "strategy", "curve", "seconds")


def runs(path: Path, first: int, step: int) -> list[Run]:
    """The runs of a file; settings of a strategy are a part of its name."""
    made = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if "curve" in (row := json.loads(line)):
            told = [f"{key} {value}" for key, value in row.items() if key not in NO_SETTINGS]
            rows = (RoundRow(n, first + step * n, value) for n, value in enumerate(row["curve"]))
            made.append(Run(" ".join([row["strategy"], *told]), row["seed"], tuple(rows)))
    return made


def main() -> None:
    path, first, step, *baseline = sys.argv[1:]
    found = runs(Path(path), int(first), int(step))
    judged = judge(found, baseline[0] if baseline else "random")
    for (_, name), mean in judged.areas.items():
        deviation = stdev(area(run.curve) for run in found if run.strategy == name)
        print(f"{name}: AUBC {mean.mean:.4f}, standard deviation {deviation:.4f}, {mean.n} seeds")
    for c in judged.comparisons:
        said = f"p {chance(c.p)}, corrected {chance(c.corrected)}: {verdict(c.verdict)}"
        print(f"{c.first} - {c.second}: {spread(c.estimate, '{:+.4f}')}, {said}")


if __name__ == "__main__":
    main()
