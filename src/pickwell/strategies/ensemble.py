"""Independently trained members that vote."""

from dataclasses import dataclass

from torch import Tensor

from pickwell.acquisition.uncertainty import variation_ratio
from pickwell.learner import Learner
from pickwell.strategies.strategy import Uncertain, require


@dataclass(kw_only=True)
class Ensemble(Uncertain):
    """Queries the largest variation ratio over an ensemble: the share of members outvoted (Beluch et al. 2018).

    The members differ by their first weights and the order of their batches. Differs from the source: equal votes are
    ordered by the entropy of the members' mean (`untie`), because five members know five scores.
    """

    members: int = 5
    untie: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        require("members", self.members, self.members >= 2, "a whole number of at least 2")

    @property
    def committee(self) -> int:
        return self.members

    def uncertainty(self, images: Tensor, learner: Learner) -> Tensor:
        return variation_ratio(learner.sample(images, self.members), untie=self.untie)
