"""Records the golden values anew, all of them: `python -m tests.golden.record`."""

import tempfile
from pathlib import Path

import torch
from tests.golden import runs
from tests.golden.comparing import HARDWARE, HERE, rounded, text

COMMAND = "python -m tests.golden.record"


def record() -> None:
    """Runs everything and writes a file a group."""
    torch.set_num_threads(runs.THREADS)
    with tempfile.TemporaryDirectory() as base:
        for group, each in runs.GROUPS.items():
            found = {name: rounded(runs.run(group, name, Path(base))) for name in each}
            (HERE / f"{group}.json").write_text(text(found) + "\n", encoding="utf-8")
            print(f"{group}: {len(found)} runs")
    HARDWARE.write_text(text({"recorded by": COMMAND, "kind": runs.kind()}) + "\n", encoding="utf-8")


if __name__ == "__main__":
    record()
