"""A strategy as the author of another package writes it."""

from dataclasses import dataclass

from torch import Tensor

from pickwell.learner import Learner
from pickwell.strategies import Scorer

BRIGHTEST = 1.0


@dataclass(kw_only=True)
class Darkest(Scorer):
    """Picks the darkest images first; the score is how much darker than white they are.

    Use when: what is hard to see is to be labelled.
    Source: an example.
    """

    weight: float = 1.0

    def score(self, images: Tensor, learner: Learner) -> Tensor:
        return self.weight * (BRIGHTEST - images.mean((1, 2, 3)))
