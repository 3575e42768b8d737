"""What a kernel cover loses by picking among some of a pool, or by measuring on some: `python -m benchmarks.cover`.

The share of all unlabelled images that labels and picks cover, on learnt patch features of CIFAR-10 (32 components),
between what a random draw of as many covers (0) and what the whole cover does (1). Seconds are of one thread.
"""

import json
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor

from pickwell.acquisition.kernel_cover import kernel_bandwidth, kernel_cover, spaced
from pickwell.acquisition.patch_features import learn
from pickwell.data.images import Images, to_float
from pickwell.data.pool import Pool
from pickwell.experiments.data import sets
from pickwell.experiments.run.results_folder import DATA
from pickwell.learner.generators import generator

CASES = ((10_000, 500, 250), (10_000, 1_500, 500), (20_000, 2_500, 1_250))
"""Images, labelled ones and budget."""


def features(count: int) -> Tensor:
    """The 32 first components of the patch features of that many images."""
    rng = generator(0, "cover")
    with TemporaryDirectory() as folder:
        layout = sets.find("cifar10", Path(os.environ.get(DATA, ".")), Path(folder) / "source")
        pool = Pool.create(Path(folder) / "pool", str(layout.train.images))
        images = to_float(Images(pool, 32).get(torch.randperm(len(pool), generator=rng)[:count]))
    patches = learn(images[:4096], rng)
    found = torch.cat([patches(part) for part in images.split(256)])
    axes: Tensor = torch.linalg.svd(found - found.mean(0), full_matrices=False).Vh[:32]
    return (found - found.mean(0)) @ axes.T


def covered(pool: Tensor, centres: Tensor, width: float) -> float:
    """The share of the pool that the centres cover."""
    best = torch.zeros(len(pool))
    for part in centres.split(256):
        best = torch.maximum(best, (-0.5 * (torch.cdist(part, pool) / width).square()).exp().amax(0))
    return best.mean().item()


def case(count: int, labelled: int, budget: int) -> None:
    rows = features(count)
    known, pool = rows[:labelled], rows[labelled:]
    width = kernel_bandwidth(pool, known, budget)

    def share(places: Tensor) -> float:
        return covered(pool, torch.cat((known, pool[places])), width)

    def measured_on(some: Tensor) -> Tensor:
        """The cover of some images alone; what it picks is of these, as almost all is that may pick any."""
        return some[kernel_cover(pool[some], known, budget, bandwidth=width)[0]]

    def among(some: Tensor) -> Tensor:
        return kernel_cover(pool, known, budget, bandwidth=width, candidates=some)[0]

    chance = sum(share(torch.randperm(len(pool), generator=generator(s))[:budget]) for s in range(5)) / 5
    best, seconds = timed(lambda: among(torch.arange(len(pool))))
    whole = share(best)
    said = {"images": count, "labelled": labelled, "budget": budget}
    print(json.dumps({**said, "random": round(chance, 4), "all": round(whole, 4), "seconds": seconds}), flush=True)
    for wanted in (budget * 2, budget * 4, budget * 8, budget * 16):
        some = spaced(len(pool), wanted)
        if len(some) == len(pool):
            break
        for name, way in (("picked among", among), ("measured on", measured_on)):
            picks, seconds = timed(partial(way, some))
            gain = round((share(picks) - chance) / (whole - chance), 3)
            print(json.dumps({**said, name: wanted, "of the gain": gain, "seconds": seconds}), flush=True)


def timed(pick: Callable[[], Tensor]) -> tuple[Tensor, float]:
    began = time.process_time()
    return pick(), round(time.process_time() - began, 1)


def main() -> None:
    torch.set_num_threads(1)
    for one in CASES:
        case(*one)


if __name__ == "__main__":
    main()
