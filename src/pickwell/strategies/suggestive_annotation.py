"""Suggestive annotation: what a committee is unsure of, and of that what stands for the pool."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from pickwell.acquisition.coverage import maximum_cover
from pickwell.acquisition.features import gathered
from pickwell.acquisition.streaming import check_budget, in_even_chunks
from pickwell.acquisition.uncertainty import mean_standard_deviation
from pickwell.items import Pick
from pickwell.learner import Learner
from pickwell.strategies.strategy import Committee, RoundView, require


@dataclass(kw_only=True)
class SuggestiveAnnotation(Committee):
    """Keeps the most uncertain images, then covers the pool by their similarity.

    Use when: images are dear to label, as masks are, and training a committee is cheap beside that.
    Source: Yang et al., MICCAI 2017.

    Uncertainty is the standard deviation of the probabilities over a committee trained on bootstraps. Of the
    `candidates` x budget most uncertain images a greedy maximum cover picks those to whose nearest one all unlabelled
    images are most similar: the cosine of their features. A pick's score is what it adds to the mean similarity.
    Differs from the source: five members for its four, and the budget is the campaign's for its 8 of 16 images.
    """

    candidates: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        require("candidates", self.candidates, 1 <= self.candidates < math.inf, "a number of at least 1")

    @property
    def bootstrap(self) -> bool:
        return True

    def uncertainty(self, images: Tensor, learner: Learner) -> Tensor:
        return mean_standard_deviation(learner.sample(images, self.members))

    def select(self, view: RoundView, budget: int) -> list[Pick]:
        pool = view.unlabelled
        check_budget(budget, len(pool))
        unsure = super().select(view, min(len(pool), math.ceil(self.candidates * budget)))
        images = (images for _, images in in_even_chunks(pool.batches()))
        features = gathered((view.learner.embed(some) for some in images), pool.ids())
        # Ids ascend: an item's place among them is that of its features.
        places = torch.searchsorted(pool.ids(), torch.tensor([pick.item for pick in unsure]))
        chosen, added = maximum_cover(features, places, budget)
        pairs = zip(pool.ids()[chosen].tolist(), added.tolist(), strict=True)
        return [Pick(item, rank, gain) for rank, (item, gain) in enumerate(pairs, start=1)]
