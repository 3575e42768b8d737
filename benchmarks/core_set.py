"""Greedy k-center beside a bare loop, and its memory at a million items: `python -m benchmarks.core_set`.

Each case runs in a process of its own; features lie in a memory-mapped file, whose pages count as resident. What is
reported above the file is the peak less the file and less what the process held before the cover began.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from benchmarks.made_up import peak

MIB = 2**20
Picks = TypeVar("Picks")


def features(path: Path, rows: int, columns: int, seed: int) -> None:
    """Features as networks give them: not negative, in clusters; written chunk by chunk."""
    chance = np.random.default_rng(seed)
    centres = chance.standard_normal((100, columns), dtype=np.float32)
    table = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(rows, columns))
    for start in range(0, rows, 10_000):
        part = table[start : start + 10_000]
        kind = chance.integers(100, size=len(part))
        part[:] = np.maximum(centres[kind] + chance.standard_normal(part.shape, dtype=np.float32), 0)
    table.flush()


def bare(pool: Tensor, known: Tensor, budget: int) -> list[int]:
    """The same greedy steps, all in memory: one product with every item a step."""
    squares = pool.square().sum(1)
    near = torch.full((len(pool),), torch.inf)
    for part in known.split(512):
        screen = torch.addmm(part.square().sum(1), pool, part.T, alpha=-2).amin(1)
        near = torch.minimum(near, squares + screen)
    picks: list[int] = []
    for _ in range(budget):
        index = int(near.argmax())
        picks.append(index)
        near = torch.minimum(near, (squares + squares[index]).sub_(pool @ pool[index], alpha=2))
        near[index] = -torch.inf
    return picks


def timed(function: Callable[[], Picks]) -> tuple[float, Picks]:
    began = time.perf_counter()
    result = function()
    return time.perf_counter() - began, result


def cover(rows: int, columns: int, known: int, budget: int) -> dict[str, object]:
    from pickwell.acquisition.coverage import k_center

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "features.npy"
        subprocess.run(
            [sys.executable, "-m", "benchmarks.core_set", "--write", path, str(rows), str(columns)], check=True
        )
        pool = np.load(path, mmap_mode="r")
        before = peak()
        seconds, (picks, _) = timed(lambda: k_center(pool[known:], pool[:known] if known else None, budget))
        file = path.stat().st_size / MIB
    return {
        "rows": rows,
        "columns": columns,
        "labelled": known,
        "budget": budget,
        "seconds": round(seconds, 2),
        "peak_mib": round(peak()),
        "file_mib": round(file),
        "above_file_mib": round(peak() - file - before),
        "picks": picks.tolist(),
    }


def compare(rows: int, columns: int, known: int, budget: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "features.npy"
        features(path, rows, columns, 0)
        pool = torch.from_numpy(np.load(path))
    seconds, picks = timed(lambda: bare(pool[known:], pool[:known], budget))
    return {"seconds": round(seconds, 2), "picks": picks}


def apart(*arguments: object) -> dict[str, Any]:
    """What the command prints, run in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.core_set", *map(str, arguments)]
    printed: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return printed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--write", nargs=3)
    parser.add_argument("--cover", nargs=4, type=int)
    parser.add_argument("--bare", nargs=4, type=int)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    if chosen.write:
        features(Path(chosen.write[0]), int(chosen.write[1]), int(chosen.write[2]), 0)
        return
    if chosen.cover or chosen.bare:
        print(json.dumps(cover(*chosen.cover) if chosen.cover else compare(*chosen.bare)))
        return
    threads = ("--threads", chosen.threads)
    case = (55_000, 512, 5_000, 2_500)
    ours, plain = apart("--cover", *case, *threads), apart("--bare", *case, *threads)
    same = sum(a == b for a, b in zip(ours["picks"], plain["picks"], strict=True))
    rows = [
        {
            **ours,
            "bare_seconds": plain["seconds"],
            "ratio": round(ours["seconds"] / plain["seconds"], 3),
            "same_picks": same,
        }
    ]
    rows += [apart("--cover", n, 64, 0, 1_000, *threads) for n in (250_000, 500_000, 1_000_000)]
    for row in rows:
        print(json.dumps({name: value for name, value in row.items() if name != "picks"}), flush=True)


if __name__ == "__main__":
    main()
