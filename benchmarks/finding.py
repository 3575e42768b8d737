"""Does VAAL's query find classes that the labelled pool lacks? `python -m benchmarks.finding digits|cifar10`."""

import argparse
import json
import time
from typing import Any

import torch

from benchmarks.pools import Effort, Labelled, cifar10, digits, draw
from pickwell.learner.seeds import generator
from pickwell.strategies.vaal.monitors import auc

SETUPS: dict[str, dict[str, Any]] = {
    "digits": {"absent": (7, 8, 9), "labelled": 140, "budget": 90, "pool": 1797},
    "cifar10": {"absent": (0, 5, 8), "labelled": 1000, "budget": 500, "pool": 10_000},
}

SHOWN = ("active_units", "discriminator_auc", "warnings")
MEANS = ("share", "auc", "active_units", "seconds")


def one(
    images: Labelled, setup: dict[str, Any], strategy: str, settings: dict[str, object], seed: int
) -> dict[str, Any]:
    absent = torch.isin(images.classes, torch.tensor(setup["absent"]))
    first = draw((~absent).nonzero().squeeze(1), setup["labelled"], seed)
    effort = Effort(images, first, strategy, settings, seed, epochs=1)
    began = time.perf_counter()
    learner, trained = effort.fit()
    rest = effort.rest()
    everything = effort.query(learner, trained, len(rest) if strategy == "vaal" else setup["budget"])
    seconds = time.perf_counter() - began
    picks = torch.tensor(everything[: setup["budget"]])
    found = {"share": absent[picks].double().mean().item(), "pool_share": absent[rest].double().mean().item()}
    if strategy == "vaal":  # its whole ranking is known
        rank = torch.empty(len(images))
        rank[torch.tensor(everything)] = -torch.arange(len(rest), dtype=torch.float32)
        found["auc"] = auc(rank[rest][absent[rest]], rank[rest][~absent[rest]])
    monitors = trained.monitors()
    kept = {name: value for name, value in monitors.items() if name in SHOWN}
    return {"seed": seed, "strategy": strategy, **settings, **found, **kept, "seconds": round(seconds, 1)}


def measure(name: str, strategy: str, settings: dict[str, object], seeds: range) -> list[dict[str, Any]]:
    setup = SETUPS[name]
    images = digits() if name == "digits" else cifar10("train")
    runs = []
    for seed in seeds:
        chosen = torch.randperm(len(images), generator=generator(seed, "pool"))[: setup["pool"]].sort().values
        runs.append(one(images.part(chosen), setup, strategy, settings, seed))
        print(json.dumps(runs[-1]), flush=True)
    return runs


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    means = {key: sum(run[key] for run in runs) / len(runs) for key in runs[0] if key in MEANS}
    return {"strategy": runs[0]["strategy"], "seeds": len(runs), **means}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("set", choices=SETUPS)
    parser.add_argument("--seeds", type=int, default=0)
    parser.add_argument("--first", type=int, default=0)
    wanted = parser.parse_args()
    seeds = range(wanted.first, wanted.first + (wanted.seeds or {"digits": 5, "cifar10": 3}[wanted.set]))
    variants: list[tuple[str, dict[str, object]]] = [
        ("random", {}),
        ("vaal", {}),
        ("vaal", {"observation": "released_code"}),
        ("vaal-diverse", {}),
    ]
    if wanted.set == "cifar10":
        variants.insert(2, ("vaal", {"representation": "patches"}))
    for strategy, settings in variants:
        runs = measure(wanted.set, strategy, settings, seeds)
        print(json.dumps({"set": wanted.set, "summary": summary(runs), "settings": settings}), flush=True)


if __name__ == "__main__":
    main()
