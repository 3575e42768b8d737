"""How far dropout passes disagree."""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from pickwell.acquisition.uncertainty import MEASURES
from pickwell.learner import Learner
from pickwell.strategies.strategy import Uncertain, among, require


@dataclass(kw_only=True)
class MCDropout(Uncertain):
    """Queries what dropout passes disagree on most.

    Use when: the model has dropout and what it does not know matters more than what is ambiguous (`bald`).
    Source: Gal and Ghahramani 2016; Gal et al. 2017; Kendall et al. 2015.

    `measure`: the mean standard deviation of the class probabilities, the mutual information of label and weights
    (`bald`), or the variation ratio of the passes' votes. Differs from the sources: batch norm stays in eval mode, and
    the layers before the first dropout are run once for all passes.
    """

    passes: int = 20
    measure: Literal["mean-std", "bald", "variation-ratio"] = "mean-std"

    def __post_init__(self) -> None:
        super().__post_init__()
        require("passes", self.passes, self.passes >= 2, "a whole number of at least 2")
        among("measure", self.measure, tuple(MEASURES))

    @property
    def needs_dropout(self) -> bool:
        return True

    def uncertainty(self, images: Tensor, learner: Learner) -> Tensor:
        return MEASURES[self.measure](learner.sample(images, self.passes))
