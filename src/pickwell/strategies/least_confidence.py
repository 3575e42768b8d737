"""Probability of the best class."""

from dataclasses import dataclass

from torch import Tensor

from pickwell.acquisition.uncertainty import least_confidence
from pickwell.learner import Learner
from pickwell.strategies.strategy import Uncertain


@dataclass(kw_only=True)
class LeastConfidence(Uncertain):
    """Queries the least probable best class; the score is 1 - its probability.

    Use when: only the best class counts, as where accuracy is measured; cheap.
    Source: Lewis and Gale 1994.
    """

    def uncertainty(self, images: Tensor, learner: Learner) -> Tensor:
        return least_confidence(learner.predict(images))
