"""Query by committee."""

from dataclasses import dataclass

from torch import Tensor

from pickwell.acquisition.uncertainty import vote_entropy
from pickwell.learner import Learner
from pickwell.strategies.strategy import Committee


@dataclass(kw_only=True)
class QBC(Committee):
    """Queries the largest vote entropy of a committee.

    Use when: training is cheap and there are many classes, so that votes can split more than two ways.
    Source: Seung et al. 1992; Dagan and Engelson 1995.

    The members differ by their first weights and the order of their batches. Differs from the sources: equal votes are
    ordered by the entropy of the members' mean (`break_ties`).
    """

    break_ties: bool = True

    def uncertainty(self, images: Tensor, learner: Learner) -> Tensor:
        return vote_entropy(learner.sample(images, self.members), break_ties=self.break_ties)
