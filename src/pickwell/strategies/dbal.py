"""Deep Bayesian active learning with maximal entropy."""

from dataclasses import dataclass

from torch import Tensor

from pickwell.acquisition.uncertainty import predictive_entropy
from pickwell.learner import Learner
from pickwell.strategies.strategy import Uncertain, require


@dataclass(kw_only=True)
class DBAL(Uncertain):
    """Queries the largest entropy of the mean over dropout passes.

    Use when: the model has dropout and a single prediction is too sure of itself.
    Source: Gal, Islam and Ghahramani 2017, max entropy.

    Differs from the source: batch norm stays in eval mode; the whole pool is scored, not a random part of it.
    """

    passes: int = 20

    def __post_init__(self) -> None:
        super().__post_init__()
        require("passes", self.passes, self.passes >= 1, "a whole number of at least 1")

    @property
    def needs_dropout(self) -> bool:
        return True

    def uncertainty(self, images: Tensor, learner: Learner) -> Tensor:
        return predictive_entropy(learner.sample(images, self.passes))
