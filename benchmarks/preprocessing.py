"""What part of an image `lite0` is best shown, and how good its larger kin is: `python -m benchmarks.preprocessing`.

Accuracy of logistic regression (C 30, vectors standardised by the pool and scaled to length 1) on 250 images at random,
mean over 20 draws, for each way to make the network's square of an image.
"""

import json
import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from pickwell import encoders
from pickwell.data.pool import Pool
from pickwell.data.threads import cores
from pickwell.encoders.parts.preprocessing import Square
from pickwell.experiments.data import sets
from pickwell.experiments.run.results_folder import DATA
from pickwell.labels import class_indices
from pickwell.learner.generators import generator
from pickwell.learner.logistic_regression import logistic_regression

SIDE, DRAWN, DRAWS = 224, 250, 20
SQUARES = {
    "published: 224 / 256 of the short side, bicubic": Square(SIDE, 224 / 256, "bicubic"),
    "the same, bilinear": Square(SIDE, 224 / 256, "bilinear"),
    "the whole short side, bicubic": Square(SIDE, 1.0, "bicubic"),
    "the whole short side, bilinear": Square(SIDE, 1.0, "bilinear"),
    "the whole image squeezed, bilinear": Square(SIDE, None, "bilinear"),
}
SETS = {"clothing": (None, None), "cifar10": (4000, 1000)}
"""How many images of the training and of the test part are looked at; None: all."""


def part(source: sets.Part, root: Path, most: int | None) -> tuple[Pool, Sequence[int], list[str]]:
    """A pool, the ids that are looked at, and their classes."""
    pool = Pool.create(root, source.images, labels_from_folders=source.labels_from_folders)
    ids = range(min(len(pool), most or len(pool)))
    return pool, ids, [str(name) for name in pool.manifest.known()[: len(ids)]]


Ways = dict[str, tuple[encoders.Encoder, Square | None]]
"""Encoders, and the square that each is shown in place of its own."""


def ways() -> Ways:
    lite0 = encoders.load("lite0")
    return {words: (lite0, square) for words, square in SQUARES.items()} | {
        name: (encoders.load(name), None) for name in ("lite1", "lite2")
    }


def vectors(encoder: encoders.Encoder, square: Square | None, pool: Pool, ids: Sequence[int]) -> Tensor:
    """What the encoder makes of the images, `(N, 1280)`."""
    prepare, least = square or encoder.prepare, square.least if square else encoder.least
    with ThreadPoolExecutor(cores()) as threads:
        prepared = list(threads.map(lambda item: prepare(pool.pixels(item, least)), ids))
    return torch.from_numpy(encoder.vectors(np.stack(prepared)))


def accuracy(train: Tensor, test: Tensor, targets: Tensor, truth: Tensor, classes: int) -> float:
    """The mean over draws."""
    mean, scale = train.mean(0), train.std(0).clamp_min(1e-6)
    train, test = (normalize((rows - mean) / scale) for rows in (train, test))
    found = []
    for draw in range(DRAWS):
        some = torch.randperm(len(train), generator=generator(draw, "preprocessing"))[:DRAWN]
        weight, bias = logistic_regression(train[some], targets[some], classes, 30.0)
        found.append(float(((test @ weight.T + bias).argmax(1) == truth).double().mean()))
    return sum(found) / len(found)


def main() -> None:
    chosen = ways()
    for name, (most, most_tested) in SETS.items():
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            layout = sets.find(name, Path(os.environ.get(DATA, ".")), root / "source")
            assert layout.test, f"{name} has no test part"
            pool, ids, known = part(layout.train, root / "train", most)
            tested, tested_ids, truth = part(layout.test, root / "test", most_tested)
            classes = sorted({*known, *truth})
            targets, right = (torch.from_numpy(class_indices(names, classes)) for names in (known, truth))
            for words, way in chosen.items():
                rows = vectors(*way, pool, ids), vectors(*way, tested, tested_ids)
                reached = accuracy(*rows, targets, right, len(classes))
                print(json.dumps({"set": name, "what is looked at": words, "accuracy": round(reached, 3)}), flush=True)


if __name__ == "__main__":
    main()
