"""BADGE: diverse and uncertain gradients."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from pickwell.acquisition.features import gathered
from pickwell.acquisition.kmeans_plus_plus import k_means_plus_plus
from pickwell.acquisition.streaming import check_budget, in_even_chunks
from pickwell.items import Pick
from pickwell.strategies.strategy import RoundView, Strategy


@dataclass(kw_only=True)
class Badge(Strategy):
    """k-means++ on the gradients of the last layer, for the labels the model itself would give.

    Use when: rounds are large and picks must differ from one another, and one task model has to do.
    Source: Ash et al., ICLR 2020.

    The gradient of an image is (p - e_y) x its features; it is never written out. A pick's score is the mean squared
    distance of the pool's gradients to the nearest pick's, once it is picked. Differs from the source: for masks it is
    the gradient of the head's bias, the mean of p - e_y over the pixels, times the image's features, which is the
    gradient of the head where features are alike at every pixel. With one class only all gradients are 0, and the
    picks are the first ids.
    """

    def select(self, view: RoundView, budget: int) -> list[Pick]:
        pool, learner = view.unlabelled, view.learner
        check_budget(budget, len(pool))
        classes = 0

        def factors(images: Tensor) -> Tensor:
            nonlocal classes
            left = residuals(learner.predict(images))
            classes = left.shape[1]
            return torch.cat((left, learner.embed(images)), dim=1)

        # Both factors in one table, so that the pool is read once.
        rows = gathered((factors(images) for _, images in in_even_chunks(pool.batches())), pool.ids())
        places, left_over = k_means_plus_plus(rows[:, :classes], rows[:, classes:], budget, view.rng)
        chosen = zip(pool.ids()[places].tolist(), left_over.tolist(), strict=True)
        return [Pick(item, rank, value) for rank, (item, value) in enumerate(chosen, start=1)]


def residuals(probabilities: Tensor) -> Tensor:
    """(p - e_y) for the most probable class y, averaged over the pixels: `(B, C, *spatial)` -> `(B, C)`.

    >>> residuals(torch.tensor([[0.75, 0.25]])).tolist()
    [[-0.25, 0.25]]
    """
    guess = one_hot(probabilities.argmax(1), probabilities.shape[1]).movedim(-1, 1)
    return (probabilities - guess).flatten(2).mean(2) if probabilities.dim() > 2 else probabilities - guess
