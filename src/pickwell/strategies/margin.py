"""Margin of the two best classes."""

from dataclasses import dataclass

from torch import Tensor

from pickwell.acquisition.uncertainty import margin
from pickwell.learner import Learner
from pickwell.strategies.strategy import Uncertain


@dataclass(kw_only=True)
class Margin(Uncertain):
    """Queries the smallest gap between the two most probable classes (Scheffer et al. 2001); the score is 1 - gap.

    With one class only there is no gap and every score is 0.
    """

    def uncertainty(self, images: Tensor, learner: Learner) -> Tensor:
        return margin(learner.predict(images))
