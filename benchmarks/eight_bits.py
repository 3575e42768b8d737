"""Does scoring in eight bits change what VAAL picks? `python -m benchmarks.eight_bits [--seeds 2]`.

The finding set-up of CIFAR-10 with networks of the paper's size: after one fit the same pool is scored in float32,
in bfloat16 and in eight bits (none of the three is trained on test images). What counts is the share of the absent
classes in the query and the AUC of the whole ranking; the overlap is the share of the float32 query picked as well.
"""

import argparse
import json
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from benchmarks.finding import SETUPS
from benchmarks.pools import Effort, cifar10, draw
from pickwell.data.images import to_float
from pickwell.learner import Devices
from pickwell.learner.seeds import generator
from pickwell.strategies.vaal import VAAL, paper_size
from pickwell.strategies.vaal.monitors import auc
from pickwell.strategies.vaal.pair import Pair, Seen


def ways(pair: Pair, some: Tensor) -> dict[str, Callable[[Tensor], Seen]]:
    """The three precisions, of the same weights."""
    made: dict[str, Callable[[Tensor], Seen]] = {"eight bits": pair.eyes(some)}
    for precision in ("fp32", "bf16"):
        pair.devices = Devices(precision)
        made[precision] = pair.see
    return made


def one(seed: int) -> dict[str, object]:
    setup = SETUPS["cifar10"]
    images = cifar10("train")
    images = images.part(torch.randperm(len(images), generator=generator(seed, "pool"))[: setup["pool"]].sort().values)
    absent = torch.isin(images.classes, torch.tensor(setup["absent"]))
    first = draw((~absent).nonzero().squeeze(1), setup["labelled"], seed)
    effort = Effort(images, first, "vaal", paper_size(32), seed, epochs=1)
    _, strategy = effort.fit()
    assert isinstance(strategy, VAAL)
    assert strategy._pair is not None
    rest, found = effort.rest(), dict[str, dict[str, Any]]()
    for name, see in ways(strategy._pair, to_float(images.get(first[:256]))).items():
        own = Devices("fp32" if name == "fp32" else "bf16")
        strategy._pair.devices = own
        logits = torch.cat([see(own.put(to_float(images.get(ids)))).logits for ids in rest.split(256)])
        picks = rest[logits.argsort(stable=True)[: setup["budget"]]]
        found[name] = {
            "share": absent[picks].double().mean().item(),
            "auc": auc(-logits[absent[rest]], -logits[~absent[rest]]),
            "ranks": logits.argsort().argsort().double(),
            "picks": set(picks.tolist()),
        }
    right = found["fp32"]
    for values in found.values():
        values["overlap"] = len(values["picks"] & right["picks"]) / setup["budget"]
        values["rank_correlation"] = torch.corrcoef(torch.stack((values["ranks"], right["ranks"])))[0, 1].item()
    kept = ("share", "auc", "overlap", "rank_correlation")
    rounded = {name: {key: round(values[key], 4) for key in kept} for name, values in found.items()}
    return {"seed": seed, **rounded}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=2)
    for seed in range(parser.parse_args().seeds):
        print(json.dumps(one(seed)), flush=True)


if __name__ == "__main__":
    main()
