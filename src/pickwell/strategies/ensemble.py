"""Independently trained members that vote."""

from dataclasses import dataclass

from torch import Tensor

from pickwell.acquisition.uncertainty import variation_ratio
from pickwell.learner import Learner
from pickwell.strategies.strategy import Committee


@dataclass(kw_only=True)
class Ensemble(Committee):
    """Queries the largest variation ratio over an ensemble: the share of members outvoted.

    Use when: training is cheap, for five models are trained a round, and dropout passes say too little.
    Source: Beluch et al. 2018.

    The members differ by their first weights and the order of their batches. Differs from the source: equal votes are
    ordered by the entropy of the members' mean (`break_ties`), because five members know five scores.
    """

    break_ties: bool = True

    def uncertainty(self, images: Tensor, learner: Learner) -> Tensor:
        return variation_ratio(learner.sample(images, self.members), break_ties=self.break_ties)
