"""What a campaign's model says of labelled images that it did not learn from."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pickwell.learner import TaskLearner
from pickwell.learner.calibration import out_of_fold
from pickwell.learner.logistic_regression import balanced
from pickwell.loop.campaign import Campaign
from pickwell.models.vectors import Logistic
from pickwell.store import Labels


@dataclass(frozen=True, slots=True)
class Unlearnt:
    """Items `(M,)`, the probabilities `(M, C)` that were said of them, and the places `(M,)` of their classes."""

    items: NDArray[np.int64]
    said: Tensor
    classes: Tensor


def cross_validated(campaign: Campaign, learner: TaskLearner, labels: Labels) -> Unlearnt | None:
    """Of the labels that are learnt from, by heads that each saw four fifths of them; None where heads are trained."""
    network = learner.members[0]
    if not isinstance(network, Logistic):
        return None
    items, values = labels.part(held_out=False)
    with torch.inference_mode():
        rows = torch.cat([network.embed(some.cpu()) for _, some in campaign.stream(torch.from_numpy(items)).batches()])
    classes, training, count = _classes(campaign, values), campaign.settings.training, campaign.learning.outputs
    weight = balanced(classes, count) if training.class_weight == "balanced" else None
    said, places = out_of_fold(rows, classes, count, training.C, weight)
    return Unlearnt(items[places.numpy()], said, classes[places])


def held_out(campaign: Campaign, learner: TaskLearner, labels: Labels) -> Unlearnt:
    """Of the labels that nothing is learnt from, by the model itself."""
    items, values = labels.part(held_out=True)
    stream = campaign.stream(torch.from_numpy(items))
    said = [learner.predict(some).cpu() for _, some in stream.batches()] if len(items) else []
    return Unlearnt(items, torch.cat([torch.empty(0, campaign.learning.outputs), *said]), _classes(campaign, values))


def _classes(campaign: Campaign, values: list[str]) -> Tensor:
    places = {name: place for place, name in enumerate(campaign.task.classes)}
    return torch.tensor([places[value] for value in values], dtype=torch.int64)
