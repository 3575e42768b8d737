"""Entropy of the prediction: what every user expects to find."""

from dataclasses import dataclass

from torch import Tensor

from pickwell.acquisition.uncertainty import entropy
from pickwell.learner import Learner
from pickwell.strategies.strategy import Uncertain


@dataclass(kw_only=True)
class Entropy(Uncertain):
    """Queries the largest entropy of the task model's prediction.

    Use when: a plain, fast measure of uncertainty is wanted, for classes or for each pixel of a mask.
    Source: Shannon 1948; Settles 2009, Sec. 3.1.

    For masks the entropy is each pixel's, reduced to the image by `reduction`.
    """

    def uncertainty(self, images: Tensor, learner: Learner) -> Tensor:
        return entropy(learner.predict(images))
