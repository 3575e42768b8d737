"""Fit and query on a table of features, and the cover beside the one it replaced: `python -m benchmarks.few_labels`.

Each case runs in a process of its own. The table is of made-up vectors in clusters, on the disk as encoders leave it;
a fit is logistic regression on the labelled ones, a query is the strategy's, through the classes that a campaign uses.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.made_up import peak
from benchmarks.plain_kernel_cover import kernel_cover as plain_cover
from pickwell import models, strategies
from pickwell.acquisition.kernel_cover import kernel_bandwidth, kernel_cover
from pickwell.features.table import FeatureTable
from pickwell.features.vectors import vectors_of
from pickwell.learner import Devices, TaskLearner
from pickwell.learner.generators import generator
from pickwell.learner.logistic_regression import logistic_regression
from pickwell.loop.pool_vectors import PoolVectors
from pickwell.loop.pool_view import PoolStream, PoolView
from pickwell.models.vectors import Logistic

FAMILY = ("uherding", "maxherding", "typiclust", "probcover", "dropquery", "margin", "badge", "core-set")
CLASSES, CLUSTERS = 10, 200


def table(folder: Path, rows: int, columns: int) -> FeatureTable:
    """Vectors in 200 clusters, as many numbers as an encoder's; written part by part."""
    chance = np.random.default_rng(0)
    middles = chance.standard_normal((CLUSTERS, columns), dtype=np.float32)
    made = FeatureTable(folder / "table", columns)
    with made.appending() as append:
        for start in range(0, rows, 10_000):
            kind = chance.integers(CLUSTERS, size=min(10_000, rows - start))
            append(np.maximum(0.7 * middles[kind] + chance.standard_normal((len(kind), columns), dtype=np.float32), 0))
    return made


def query(name: str, rows: int, columns: int, labelled: int, budget: int) -> dict[str, Any]:
    """Seconds of a fit and of a query, and the most memory that the process has held."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.few_labels", "--write", folder, str(rows), str(columns)]
        subprocess.run(command, check=True)
        began = time.perf_counter()
        images, devices = vectors_of(FeatureTable(Path(folder) / "table", columns)), Devices("fp32")
        known = torch.randperm(rows, generator=generator(0, "labelled"))[:labelled].sort().values
        free = torch.ones(rows, dtype=torch.bool)
        free[known] = False
        head = models.load("logistic", CLASSES, image_size=columns).eval()
        assert isinstance(head, Logistic)
        targets = known % CLASSES
        head.put(*logistic_regression(head.embed(images.get(known)).detach(), targets, CLASSES, 30.0))
        fitted = time.perf_counter()
        some = [PoolStream(images, ids, devices) for ids in (free.nonzero().squeeze(1), known, known[:0], known[:0])]
        vectors = PoolVectors(Path(folder), some[0], rows, 0, ())
        unlabelled, labels, held_out, pending = some
        learner, rng = TaskLearner([head], devices), generator(0, "pick")
        seen = PoolView(learner, rng, unlabelled, labels, held_out, pending, vectors, None)
        strategies.create(name).select(seen, budget)
        ended = time.perf_counter()
    return {
        "strategy": name, "rows": rows, "columns": columns, "labelled": labelled, "budget": budget,
        "fit_seconds": round(fitted - began, 2), "query_seconds": round(ended - fitted, 2),
        "seconds": round(ended - began, 2), "peak_gib": round(peak() / 1024, 2),
    }  # fmt: skip


def cover(rows: int, columns: int, labelled: int, budget: int, *, plain: bool) -> dict[str, Any]:
    """Seconds of the cover of all rows, each of which can be picked; of the one before, or of today's."""
    with tempfile.TemporaryDirectory() as folder:
        made = np.concatenate(table(Path(folder), rows, columns).shards())
    features = torch.nn.functional.normalize(torch.from_numpy(made))
    pool, centres = features[labelled:], features[:labelled]
    width = kernel_bandwidth(pool, centres, budget)
    began = time.perf_counter()
    picks, _ = (plain_cover if plain else kernel_cover)(pool, centres, budget, bandwidth=width)
    return {
        "cover": "before" if plain else "now", "rows": rows, "columns": columns, "labelled": labelled,
        "budget": budget, "seconds": round(time.perf_counter() - began, 2), "picks": picks.tolist(),
    }  # fmt: skip


def apart(*arguments: object) -> dict[str, Any]:
    """What the command prints, run in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.few_labels", *map(str, arguments)]
    printed: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return printed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", nargs=3)
    parser.add_argument("--query", nargs=5)
    parser.add_argument("--cover", nargs=4, type=int)
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--whole", action="store_true", help="with the cover before at 50,000, which takes an hour")
    chosen = parser.parse_args()
    if chosen.write:
        table(Path(chosen.write[0]), int(chosen.write[1]), int(chosen.write[2]))
        return
    if chosen.query or chosen.cover:
        found = (
            query(chosen.query[0], *map(int, chosen.query[1:]))
            if chosen.query
            else cover(*chosen.cover, plain=chosen.plain)
        )
        print(json.dumps(found))
        return
    for name in FAMILY:
        print(json.dumps(apart("--query", name, 50_000, 1280, 1_000, 100)), flush=True)
    for case in ((6_000, 1280, 100, 20), (50_000, 1280, 1_000, 100)):
        now = apart("--cover", *case)
        row = {name: value for name, value in now.items() if name != "picks"}
        if case[0] < 50_000 or chosen.whole:
            before = apart("--cover", *case, "--plain")
            same = sum(a == b for a, b in zip(now["picks"], before["picks"], strict=True))
            times = round(before["seconds"] / now["seconds"], 1)
            row |= {"before_seconds": before["seconds"], "times_as_fast": times, "same_picks": same}
        print(json.dumps(row), flush=True)
    for rows in (250_000, 500_000, 1_000_000):
        print(json.dumps(apart("--query", "uherding", rows, 384, 1_000, 1_000)), flush=True)


if __name__ == "__main__":
    main()
