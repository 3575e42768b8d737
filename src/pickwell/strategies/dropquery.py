"""Clusters of the images on which the model changes its mind when features are dropped."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from pickwell.acquisition.k_means import k_means, nearest_of_each
from pickwell.acquisition.streaming import check_budget, in_even_chunks
from pickwell.items import Pick
from pickwell.strategies.distances import rows_of_stream
from pickwell.strategies.strategy import RoundView, Strategy, require


@dataclass(kw_only=True)
class DropQuery(Strategy):
    """Picks the middles of clusters of images whose prediction most passes with dropped features change.

    Use when: an encoder's features are good, and there are labels of most classes.
    Source: Gupte et al., TMLR 2024.

    Three `passes` drop each number of a vector with a chance of `rate`; images whose class changes in a majority of
    them are clustered by k-means into as many clusters as picks, and the nearest to each centre is picked, of large
    clusters first. Where fewer images change than are asked for, all are picked, and the middles of clusters of the
    others follow. Before anything is labelled all images are clustered. Of a network over images the passes are its own
    dropout's. A pick's score is its cluster's share, minus how many of the cluster come before it; others follow below.
    """

    passes: int = 3
    rate: float = 0.75

    def __post_init__(self) -> None:
        require("passes", self.passes, self.passes >= 1, "a whole number of at least 1")
        require("rate", self.rate, 0 < self.rate < 1, "above 0 and below 1")

    @property
    def needs_labels(self) -> bool:
        return False

    def select(self, view: RoundView, budget: int) -> list[Pick]:
        check_budget(budget, len(view.unlabelled))
        features = rows_of_stream(view, view.unlabelled)
        unsure = self._unsure(view) if len(view.labelled) else torch.ones(len(features), dtype=torch.bool)
        ids, below = view.unlabelled.ids(), 0.0
        picks: list[Pick] = []
        for group in (unsure, ~unsure):
            places = group.nonzero().squeeze(1)
            wanted = min(budget - len(picks), len(places))
            if not wanted:
                continue
            chosen, scores = nearest_of_each(*k_means(features[places], wanted, view.rng), wanted)
            items = ids[places[chosen]].tolist()
            picks += [
                Pick(item, len(picks) + rank, below + score)
                for rank, (item, score) in enumerate(zip(items, scores.tolist(), strict=True), start=1)
            ]
            below = picks[-1].score - 1
        return picks

    def _unsure(self, view: RoundView) -> Tensor:
        """Whether most passes change an image's class, `(N,)`; of a mask, that of most pixels."""
        found = []
        for _, images in in_even_chunks(view.unlabelled.batches()):
            plain = view.learner.predict(images).argmax(1)
            changed = torch.zeros(plain.shape)
            for probabilities in self._passes(view, images):
                changed += (probabilities.argmax(1) != plain).cpu()
            found.append((2 * changed > self.passes).float().flatten(1).mean(1) > 0.5
                         if changed.dim() > 1 else 2 * changed > self.passes)  # fmt: skip
        return torch.cat(found)

    def _passes(self, view: RoundView, images: Tensor) -> Iterator[Tensor]:
        if images.dim() != 2:
            yield from view.learner.sample(images, self.passes)
            return
        for _ in range(self.passes):
            # Chunks are the same however the pool is read, and so is what is drawn for each.
            kept = torch.rand(images.shape, generator=view.rng).to(images.device) >= self.rate
            yield view.learner.predict(images * kept / (1 - self.rate))
