"""What it gives that a process keeps freed memory for the next tensors: `python -m benchmarks.allocation`.

Each run has a process of its own; with and without take turns. `query` is mc-dropout over scenes of 360 x 480, `scenes`
and `images` are training steps of the networks that the small experiments train.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median
from unittest import mock

import torch
from torch.nn.functional import cross_entropy

from benchmarks.made_up import Stream, peak, view
from pickwell import models, strategies
from pickwell.learner import Devices, TaskLearner
from pickwell.learner.generators import generator
from pickwell.models.network import Network

CLASSES, STEPS, SCENES = 11, 20, 30


def query() -> None:
    learner = TaskLearner([models.load_dense("drn_d_22", CLASSES, width=0.25)], Devices())
    seen = view(learner, Stream(SCENES, 360, 480), generator(0, "query"))
    strategies.create("mc-dropout", {}).select(seen, 5)


def scenes() -> None:
    x, y = torch.rand(8, 3, 176, 176), torch.randint(CLASSES, (8, 176, 176))
    train(models.load_dense("drn_d_22", CLASSES, width=0.25), x, y)


def images() -> None:
    x, y = torch.rand(64, 3, 32, 32), torch.randint(10, (64,))
    train(models.load("resnet18", 10, image_size=32, width=0.25), x, y)


def train(network: Network, x: torch.Tensor, y: torch.Tensor) -> None:
    chosen = Devices()
    network = chosen.setup(network).train()
    adam, x = chosen.adam(network, 1e-3), chosen.put(x)
    for _ in range(STEPS):
        with chosen.autocast():
            loss = cross_entropy(network(x).float(), y)
        loss.backward()
        adam.step()
        adam.zero_grad()


CASES: dict[str, Callable[[], None]] = {"query": query, "scenes": scenes, "images": images}


def one(case: str, *, keep: bool) -> dict[str, float]:
    torch.manual_seed(0)
    if not keep:
        mock.patch("pickwell.learner.devices.keep_freed_memory").start()
    CASES[case]()  # what libraries do the first time
    used, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    CASES[case]()
    now = resource.getrusage(resource.RUSAGE_SELF)
    seconds, system = time.perf_counter() - began, now.ru_stime - used.ru_stime
    return {"seconds": round(seconds, 2), "of_the_system": round(system, 2), "peak_mib": round(peak())}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", nargs=2, metavar=("CASE", "KEEP"))
    parser.add_argument("--pairs", type=int, default=4)
    parser.add_argument("--threads", type=int, default=1)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    if chosen.one:
        print(json.dumps(one(chosen.one[0], keep=chosen.one[1] == "keep")), flush=True)
        return
    for case in CASES:
        found: dict[str, list[dict[str, float]]] = {"keep": [], "return": []}
        for _ in range(chosen.pairs):
            for how, rows in found.items():
                rows.append(measured(case, how, chosen.threads))
        pairs = zip(found["return"], found["keep"], strict=True)
        faster = median(back["seconds"] / kept["seconds"] for back, kept in pairs)
        print(json.dumps({"case": case, "times_faster": round(faster, 2), **found}), flush=True)


def measured(case: str, how: str, threads: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.allocation", "--one", case, how, "--threads", str(threads)]
    row: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return row


if __name__ == "__main__":
    main()
