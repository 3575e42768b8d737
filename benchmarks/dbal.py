"""The memory of dbal's dropout passes over CamVid-size scenes, by passes and pool: `python -m benchmarks.dbal`.

Each case runs in a process of its own. Scenes are made batch by batch, so that what is measured is the query's; what is
reported above the model is the peak less what the process held before the query began.
"""

import argparse
import json
import subprocess
import sys
import time

import torch

from benchmarks.made_up import Stream, peak, view
from pickwell import models, strategies
from pickwell.learner import Devices, TaskLearner
from pickwell.learner.generators import generator

HEIGHT, WIDTH, CLASSES = 360, 480, 11


def one(passes: int, items: int, width: float) -> dict[str, object]:
    torch.manual_seed(0)
    learner = TaskLearner([models.load_dense("drn_d_22", CLASSES, width=width)], Devices("fp32"))
    seen = view(learner, Stream(items, HEIGHT, WIDTH), generator(0, "query"))
    strategy = strategies.create("dbal", {"passes": passes})
    before, began = peak(), time.perf_counter()
    picks = strategy.select(seen, min(20, items))
    return {
        "passes": passes,
        "pool": items,
        "peak_mib": round(peak()),
        "above_the_model_mib": round(peak() - before),
        "seconds": round(time.perf_counter() - began, 1),
        "first": picks[0].item,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", nargs=2, type=int, metavar=("PASSES", "POOL"))
    parser.add_argument("--width", type=float, default=0.25)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    if chosen.one:
        passes, pool = chosen.one
        print(json.dumps(one(passes, pool, chosen.width)), flush=True)
        return
    for passes, pool in ((20, 300), (5, 300), (20, 75)):
        rest = ["--width", str(chosen.width), "--threads", str(chosen.threads)]
        subprocess.run([sys.executable, "-m", "benchmarks.dbal", "--one", str(passes), str(pool), *rest], check=True)


if __name__ == "__main__":
    main()
