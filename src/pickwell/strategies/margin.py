"""Margin of the two best classes."""

from dataclasses import dataclass

from torch import Tensor

from pickwell.acquisition.uncertainty import margin
from pickwell.learner import Learner
from pickwell.strategies.strategy import Uncertain


@dataclass(kw_only=True)
class Margin(Uncertain):
    """Queries the smallest gap between the two most probable classes; the score is 1 - gap.

    Use when: there are many classes, of which two are mistaken for one another at a time; cheap.
    Source: Scheffer et al. 2001.

    With one class only there is no gap and every score is 0.
    """

    def uncertainty(self, images: Tensor, learner: Learner) -> Tensor:
        return margin(learner.predict(images))
