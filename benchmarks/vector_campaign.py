"""A few-labels experiment's campaign without a store: the same vectors, first labels and head, whoever picks."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from pickwell.data.pool import Pool
from pickwell.experiments.cells import Cell
from pickwell.experiments.data import feature_pools
from pickwell.experiments.data.prepare import Prepared, prepare
from pickwell.experiments.experiment import Experiment
from pickwell.experiments.run.cell_run import absent_classes, first_items, showing
from pickwell.experiments.run.results_folder import DATA
from pickwell.labels import class_indices
from pickwell.learner.logistic_regression import logistic_regression

Pick = Callable[[Tensor, Tensor, Tensor, int], Tensor]
"""Given the labelled rows' places, the head's weights `(C, D)` and biases `(C,)` and a budget, as many places more."""


@dataclass(frozen=True)
class VectorCampaign:
    """An experiment on vectors: rows `(N, D)` of length 1 as the head sees them, and classes `(N,)`, of both parts."""

    experiment: Experiment
    prepared: Prepared
    rows: Tensor
    targets: Tensor
    test: Tensor
    truth: Tensor

    @classmethod
    def of(cls, experiment: Experiment, root: Path) -> Self:
        """The experiment's pools below `root`, found or made now from what PICKWELL_DATA holds."""
        prepared = prepare(experiment, Path(os.environ.get(DATA, ".")), root)
        return cls(experiment, prepared, *_part(prepared, prepared.pool), *_part(prepared, prepared.test))

    def curve(self, seed: int, pick: Pick) -> Iterator[dict[str, float]]:
        """Labels paid for and accuracy, for the first labels of the seed and after each round of picks."""
        labels, budget = self.experiment.start.labels, self.experiment.rounds.budget
        labelled = self.first(seed)
        for left in reversed(range(self.experiment.rounds.count + 1)):
            weight, bias = self.head(labelled)
            right = (self.test @ weight.T + bias).argmax(1) == self.truth
            yield {"labels": labels, "accuracy": float(right.double().mean())}
            if left:
                labelled = torch.cat((labelled, pick(labelled, weight, bias, budget))).unique()
                labels += budget

    def first(self, seed: int) -> Tensor:
        """The places of the first labels, `(L,)`."""
        cell = Cell(self.experiment, self.experiment.baseline, seed)
        shown = showing(Pool.open(self.prepared.pool), self.prepared)
        return torch.tensor(first_items(cell, shown, absent_classes(cell, self.prepared.classes)))

    def head(self, labelled: Tensor) -> tuple[Tensor, Tensor]:
        """The weights and biases that the experiment's head learns from them."""
        classes, c = len(self.prepared.classes), self.experiment.training.C
        return logistic_regression(self.rows[labelled], self.targets[labelled], classes, c)


def _part(prepared: Prepared, part: Path) -> tuple[Tensor, Tensor]:
    rows = normalize(torch.from_numpy(np.load(prepared.folder / feature_pools.file(part.name))))
    names = [str(name) for name in Pool.open(part).manifest.known()]
    return rows, torch.from_numpy(class_indices(names, prepared.classes))
