"""Does a strategy save labels? Paired seeds, the mean over the curve. `python -m benchmarks.saving SET`."""

import argparse
import json
import time
from typing import Any

import numpy as np
import torch
from scipy import stats

from benchmarks.pools import TRAINING, Effort, Labelled, accuracy, cifar10, digits, draw, tiles
from pickwell.learner.seeds import generator

SETUPS: dict[str, dict[str, Any]] = {
    "digits": {"absent": (7, 8, 9), "labelled": 40, "budget": 20, "rounds": 5, "augmentation": "none"},
    "cifar10": {"absent": (), "labelled": 500, "budget": 250, "rounds": 3, "epochs": 40, "augmentation": "crop-flip"},
    "cifar10-absent": {
        "absent": (0, 5, 8), "labelled": 500, "budget": 250, "rounds": 3, "epochs": 40, "augmentation": "crop-flip",
    },
    "tiles-absent": {
        "absent": (3, 4, 6), "labelled": 100, "budget": 50, "rounds": 3, "epochs": 40, "augmentation": "crop-flip",
    },
}  # fmt: skip


TUNING = 100
"""Seeds from here on are for choosing settings: they never see a test image, they measure on images of the pool."""


def sets(name: str, seed: int) -> tuple[Labelled, Labelled]:
    """The images to pick from and those to measure on, under one seed."""
    if name == "digits":
        images = digits()
        order = torch.randperm(len(images), generator=generator(0, "digits"))
        test, pool, size = images.part(order[:450]), images.part(order[450:].sort().values), 1347
    elif name == "tiles-absent":
        test, pool, size = tiles("test"), tiles("train", "val"), 5000
    else:
        test, pool, size = cifar10("test"), cifar10("train"), 6000
    mixed = torch.randperm(len(pool), generator=generator(seed, "pool"))
    if seed >= TUNING:
        measured = {"digits": 450, "tiles-absent": len(pool) - size}.get(name, 5000)
        return pool.part(mixed[measured:][:size].sort().values), pool.part(mixed[:measured])
    return pool.part(mixed[:size].sort().values), test


def curve(
    name: str, pool: Labelled, test: Labelled, strategy: str, settings: dict[str, object], seed: int
) -> list[float]:
    setup = SETUPS[name]
    present = ~torch.isin(pool.classes, torch.tensor(setup["absent"]))
    first = draw(present.nonzero().squeeze(1), setup["labelled"], seed)
    effort = Effort(pool, first, strategy, settings, seed, setup.get("epochs", TRAINING.epochs), setup["augmentation"])
    reached = []
    for number in range(setup["rounds"] + 1):
        learner, trained = effort.fit()
        reached.append(accuracy(learner, test))
        if number < setup["rounds"]:
            effort.tell(effort.query(learner, trained, setup["budget"]))
    return reached


def against(baseline: list[float], other: list[float]) -> dict[str, float]:
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
    parser.add_argument("--settings", type=json.loads, default={}, help="of the strategies but random, as JSON")
    wanted = parser.parse_args()
    seeds = range(wanted.first, wanted.first + (wanted.seeds or (10 if wanted.set == "digits" else 5)))
    means: dict[str, list[float]] = {}
    for seed in seeds:
        pool, test = sets(wanted.set, seed)
        for strategy in wanted.strategies.split(","):
            began = time.perf_counter()
            chosen = {} if strategy == "random" else wanted.settings
            reached = curve(wanted.set, pool, test, strategy, chosen, seed)
            means.setdefault(strategy, []).append(float(np.mean(reached)))
            row = {"seed": seed, "strategy": strategy, **chosen, "curve": [round(value, 4) for value in reached]}
            print(json.dumps({**row, "seconds": round(time.perf_counter() - began, 1)}), flush=True)
    for strategy, values in means.items():
        spread = {"mean": float(np.mean(values)), "sd": float(np.std(values, ddof=1))} if len(values) > 1 else {}
        comparable = strategy != "random" and "random" in means and len(values) > 1
        beside = against(means["random"], values) if comparable else {}
        row = {"set": wanted.set, "summary": strategy, "seeds": len(values), **spread, **beside}
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
