"""What predictions are worth: calibration, acceptance, doubted labels: `python -m benchmarks.predictions`.

Logistic regression (C 30, balanced) on `lite0`'s features of clothing and CIFAR-10, from labels drawn at random, mean
over 20 draws. Doubts: 400 labels of clothing of which 40 are flipped, 5 draws.
"""

import json
import os
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from benchmarks.preprocessing import SETS, part, vectors
from pickwell import encoders
from pickwell.experiments.data import sets
from pickwell.experiments.run.results_folder import DATA
from pickwell.labels import class_indices
from pickwell.learner.calibration import cooled, out_of_fold, temperature
from pickwell.learner.generators import generator
from pickwell.learner.logistic_regression import balanced, logistic_regression
from pickwell.statistics.acceptance import acceptance
from pickwell.statistics.label_doubts import contradicted

DRAWS, FLIPS, BINS, C = 20, 5, 15, 30.0
ERRORS, LEARNT, HELD = (0.02, 0.05, 0.1), 300, 400
"""The errors that are promised, and how many labels are learnt from and measured on for them."""


class Features:
    """Standardised rows of length 1 and places of classes, of a pool and of its test images."""

    def __init__(self, name: str, root: Path) -> None:
        layout, lite0 = sets.find(name, Path(os.environ.get(DATA, ".")), root / "source"), encoders.load("lite0")
        assert layout.test, f"{name} has no test part"
        seen = []
        for number, (which, most) in enumerate(zip((layout.train, layout.test), SETS[name], strict=True)):
            pool, ids, names = part(which, root / f"{name}-{number}", most)
            seen.append((vectors(lite0, None, pool, ids), names))
        (rows, names), (test, truth) = seen
        self.classes = sorted(set(names))
        mean, scale = rows.mean(0), rows.std(0).clamp_min(1e-6)
        self.rows, self.test = (normalize((some - mean) / scale) for some in (rows, test))
        self.targets, self.truth = (torch.from_numpy(class_indices(some, self.classes)) for some in (names, truth))

    def head(self, some: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        count = len(self.classes)
        return logistic_regression(self.rows[some], targets, count, C, balanced(targets, count))

    def unlearnt(self, some: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        count = len(self.classes)
        return out_of_fold(self.rows[some], targets, count, C, balanced(targets, count))


def said(rows: Tensor, head: tuple[Tensor, Tensor]) -> Tensor:
    return (rows @ head[0].T + head[1]).softmax(1)


def calibration_error(probabilities: Tensor, truth: Tensor) -> float:
    """The expected calibration error in 15 bins of equal width (Guo et al. 2017)."""
    sure, best = probabilities.max(1)
    bins = (sure * BINS).long().clamp_max(BINS - 1)
    gaps = [
        float(abs((best[of] == truth[of]).double().sum() - sure[of].double().sum()))
        for of in (bins == number for number in range(BINS))
    ]
    return sum(gaps) / len(sure)


def calibrated(data: Features, labels: int) -> dict[str, float]:
    before, after, chance = [], [], []
    for draw in range(DRAWS):
        some = torch.randperm(len(data.rows), generator=generator(draw, "predictions"))[:labels]
        targets = data.targets[some]
        found, places = data.unlearnt(some, targets)
        degrees = temperature(found, targets[places])
        probabilities = said(data.test, data.head(some, targets))
        right = cooled(probabilities, degrees)
        before.append(calibration_error(probabilities, data.truth))
        after.append(calibration_error(right, data.truth))
        # What is left where every probability is true, by chance, on so few images.
        chance.append(calibration_error(right, torch.multinomial(right, 1, generator=generator(draw, "chance"))[:, 0]))
    return {"before": float(np.mean(before)), "after": float(np.mean(after)), "by chance": float(np.mean(chance))}


def accepted(data: Features, error: float) -> dict[str, float]:
    taken, broken, errors = 0, 0, []
    for draw in range(DRAWS):
        order = torch.randperm(len(data.rows), generator=generator(draw, "accepted"))
        some, held, rest = order[:LEARNT], order[LEARNT : LEARNT + HELD], order[LEARNT + HELD :]
        head = data.head(some, data.targets[some])
        sure, best = said(data.rows[held], head).max(1)
        found = acceptance(sure.double().numpy(), (best == data.targets[held]).numpy(), error)
        if found.threshold is None:
            continue
        sure, best = said(data.rows[rest], head).max(1)
        above = sure.double() >= found.threshold
        errors.append(float((best != data.targets[rest])[above].double().mean()))
        taken += int(above.sum())
        broken += errors[-1] > error
    return {"promised": len(errors), "broken": broken, "error": float(np.mean(errors)) if errors else 0.0,
            "share taken": taken / max(1, len(errors)) / (len(data.rows) - LEARNT - HELD)}  # fmt: skip


def doubted(data: Features) -> dict[str, float]:
    precision, recall = [], []
    for draw in range(FLIPS):
        rng = generator(draw, "doubted")
        some = torch.randperm(len(data.rows), generator=rng)[:400]
        targets = data.targets[some].clone()
        flipped = torch.randperm(400, generator=rng)[:40]
        targets[flipped] = (targets[flipped] + torch.randint(1, len(data.classes), (40,), generator=rng)) % len(
            data.classes
        )
        found, places = data.unlearnt(some, targets)
        order = places[torch.from_numpy(contradicted(found.double().numpy(), targets[places].numpy()))].tolist()
        wrong = set(flipped.tolist())
        precision.append(len(wrong & set(order[:40])) / min(40, len(order)))
        recall.append(len(wrong & set(order[:80])) / 40)
    return {"precision in 40": float(np.mean(precision)), "recall in 80": float(np.mean(recall))}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name in SETS:
            data = Features(name, Path(folder))
            for labels in (120, 300):
                print(json.dumps({"set": name, "calibration error at": labels, **calibrated(data, labels)}), flush=True)
            for error in ERRORS:
                print(json.dumps({"set": name, "error at most": error, **accepted(data, error)}), flush=True)
            if name == "clothing":
                print(json.dumps({"set": name, "doubts": doubted(data)}), flush=True)


if __name__ == "__main__":
    main()
