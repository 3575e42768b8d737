"""Does a strategy save labels? Paired seeds, the mean over the curve. `python -m benchmarks.saving digits|cifar10`."""

import argparse
import json
import time

import numpy as np
import torch
from scipy import stats

from benchmarks.pools import Effort, Labelled, accuracy, cifar10, digits, draw
from pickwell.learner.seeds import generator

SETUPS = {
    "digits": {"absent": (7, 8, 9), "labelled": 40, "budget": 20, "rounds": 5, "augmentation": "none"},
    "cifar10": {"absent": (), "labelled": 500, "budget": 250, "rounds": 3, "augmentation": "crop-flip"},
    "cifar10-absent": {
        "absent": (0, 5, 8), "labelled": 500, "budget": 250, "rounds": 3, "augmentation": "crop-flip",
    },
}  # fmt: skip


def sets(name: str, seed: int) -> tuple[Labelled, Labelled]:
    """The pool and the test set of one seed."""
    if name == "digits":
        images = digits()
        order = torch.randperm(len(images), generator=generator(seed, "split"))
        return images.part(order[450:].sort().values), images.part(order[:450])
    pool = cifar10("train")
    chosen = torch.randperm(len(pool), generator=generator(seed, "pool"))[:6000].sort().values
    return pool.part(chosen), cifar10("test")


def curve(name: str, pool: Labelled, test: Labelled, strategy: str, settings: dict, seed: int) -> list[float]:
    setup = SETUPS[name]
    present = ~torch.isin(pool.classes, torch.tensor(setup["absent"]))
    first = draw(present.nonzero().squeeze(1), setup["labelled"], seed)
    effort = Effort(pool, first, strategy, settings, seed, augmentation=setup["augmentation"])
    reached = []
    for number in range(setup["rounds"] + 1):
        learner, trained = effort.fit()
        reached.append(accuracy(learner, test))
        if number < setup["rounds"]:
            effort.tell(effort.query(learner, trained, setup["budget"]))
    return reached


def against(baseline: list[float], other: list[float]) -> dict:
    """The paired difference with its 95 % interval and p-value."""
    found = stats.ttest_rel(other, baseline)
    low, high = found.confidence_interval(0.95)
    difference = float(np.mean(other) - np.mean(baseline))
    return {"difference": difference, "low": float(low), "high": float(high), "p": float(found.pvalue)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("set", choices=SETUPS)
    parser.add_argument("--strategies", default="random,vaal,vaal-diverse")
    parser.add_argument("--seeds", type=int, default=0)
    parser.add_argument("--first", type=int, default=0)
    wanted = parser.parse_args()
    seeds = range(wanted.first, wanted.first + (wanted.seeds or (10 if wanted.set == "digits" else 5)))
    means: dict[str, list[float]] = {}
    for seed in seeds:
        pool, test = sets(wanted.set, seed)
        for strategy in wanted.strategies.split(","):
            began = time.perf_counter()
            reached = curve(wanted.set, pool, test, strategy, {}, seed)
            means.setdefault(strategy, []).append(float(np.mean(reached)))
            row = {"seed": seed, "strategy": strategy, "curve": [round(value, 4) for value in reached]}
            print(json.dumps({**row, "seconds": round(time.perf_counter() - began, 1)}), flush=True)
    for strategy, values in means.items():
        spread = {"mean": float(np.mean(values)), "sd": float(np.std(values, ddof=1))} if len(values) > 1 else {}
        beside = against(means["random"], values) if strategy != "random" and len(values) > 1 else {}
        row = {"set": wanted.set, "summary": strategy, "seeds": len(values), **spread, **beside}
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
