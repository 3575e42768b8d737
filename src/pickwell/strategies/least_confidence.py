"""Probability of the best class."""

from dataclasses import dataclass

from torch import Tensor

from pickwell.acquisition.uncertainty import least_confidence
from pickwell.learner import Learner
from pickwell.strategies.strategy import Uncertain


@dataclass(kw_only=True)
class LeastConfidence(Uncertain):
    """Queries the least probable best class (Lewis and Gale 1994); the score is 1 - its probability."""

    def uncertainty(self, images: Tensor, learner: Learner) -> Tensor:
        return least_confidence(learner.predict(images))
