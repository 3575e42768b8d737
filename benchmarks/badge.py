"""BADGE's memory and time, 50,000 images x 10 classes x 512 features: `python -m benchmarks.badge`.

The strategy runs whole, over a stream and a learner that make their answers up, in a process of its own. The matrix of
gradients that is never made would take 1,000 MiB.
"""

import argparse
import json
import subprocess
import sys
import time

import torch
from torch import Tensor

from benchmarks.made_up import Stream, peak, view
from pickwell.learner.generators import generator
from pickwell.strategies import create


class Learner:
    """Features and probabilities that are functions of an image's first pixels."""

    def __init__(self, classes: int, size: int) -> None:
        self.lift = torch.randn(48, size, generator=generator(0, "lift")) / 7
        self.head = torch.randn(size, classes, generator=generator(0, "head")) / 4

    def embed(self, images: Tensor) -> Tensor:
        return (images.flatten(1) - 0.5).matmul(self.lift).relu()

    def predict(self, images: Tensor) -> Tensor:
        return (self.embed(images) @ self.head).softmax(1)


def one(items: int, classes: int, size: int, budget: int) -> dict[str, object]:
    seen = view(Learner(classes, size), Stream(items, 4, 4, batch=256), generator(0, "badge"))
    strategy = create("badge")
    before, began = peak(), time.perf_counter()
    picks = strategy.select(seen, budget)
    assert len({pick.item for pick in picks}) == budget
    return {
        "items": items,
        "classes": classes,
        "features": size,
        "budget": budget,
        "seconds": round(time.perf_counter() - began, 2),
        "above_model_mib": round(peak() - before),
        "factors_file_mib": round(items * (classes + size) * 4 / 2**20),
        "gradients_mib_never_made": round(items * classes * size * 4 / 2**20),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--one", nargs=4, type=int)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    if chosen.one:
        print(json.dumps(one(*chosen.one)))
        return
    for case in ((50_000, 10, 512, 2_500), (50_000, 100, 512, 250)):
        command = [sys.executable, "-m", "benchmarks.badge", "--threads", chosen.threads, "--one", *case]
        print(
            subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout,
            end="",
            flush=True,
        )


if __name__ == "__main__":
    main()
