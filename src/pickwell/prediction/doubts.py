"""Labels that the others contradict, for people to look at again."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pickwell.data.csv_rows import escaped
from pickwell.errors import LabelError
from pickwell.formats.exchange.paths import appearing
from pickwell.prediction.predictor import ENOUGH, Predictor
from pickwell.prediction.unlearnt import cross_validated, held_out
from pickwell.statistics.label_doubts import contradicted


@dataclass(frozen=True, slots=True)
class Doubt:
    """A label that is likely wrong: what it says and how likely that is, and the likeliest class in its place."""

    item: int
    label: str
    likely: float
    suggestion: str
    suggestion_likely: float


COLUMNS = ("rank", "item", "name", "stands", "likely", "suggestion", "suggestion_likely", "label")
"""Of the list of doubts; `label` is to be filled in, as in a to-label list."""


def write_doubts(out: Path, found: Sequence[Doubt], names: Sequence[str]) -> None:
    """Writes a new CSV of doubts and their images' names, which `pickwell tell` reads once its labels are filled in."""
    with appearing(out) as path, path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for rank, (one, name) in enumerate(zip(found, names, strict=True), start=1):
            likely, other = f"{one.likely:.4f}", f"{one.suggestion_likely:.4f}"
            table.writerow((rank, one.item, *map(escaped, (name, one.label, likely, one.suggestion, other)), ""))


def doubts(predictor: Predictor) -> list[Doubt]:
    """The labels that are likely wrong, the likeliest first; LabelError where fewer than 50 can be judged.

    Each is judged by a head that did not learn from it; where models are trained by steps, those held out alone are.
    """
    campaign, learner, labels = predictor.campaign, predictor.learner, predictor.labels
    parts = [part for part in (cross_validated(campaign, learner, labels), held_out(campaign, learner, labels)) if part]
    items = np.concatenate([part.items for part in parts])
    if len(items) < ENOUGH:
        raise LabelError(
            f"{len(items)} labels can be judged by a model that did not learn from them, and it takes {ENOUGH}; label "
            f"{ENOUGH - len(items)} more"
        )
    said = np.concatenate([part.said.double().numpy() for part in parts])
    classes = np.concatenate([part.classes.numpy() for part in parts])
    names = campaign.task.classes
    return [_doubt(names, int(items[at]), int(classes[at]), said[at]) for at in contradicted(said, classes)]


def _doubt(names: Sequence[str], item: int, own: int, said: NDArray[np.float64]) -> Doubt:
    other = max((place for place in range(len(names)) if place != own), key=lambda place: said[place])
    return Doubt(item, names[own], float(said[own]), names[other], float(said[other]))
