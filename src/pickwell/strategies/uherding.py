"""The greedy kernel cover of what the model is unsure of."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import torch
from torch import Tensor

from pickwell.acquisition import uncertainty
from pickwell.acquisition.features import gathered
from pickwell.acquisition.streaming import in_even_chunks
from pickwell.acquisition.uncertainty import reduced
from pickwell.learner import Stream
from pickwell.strategies.distances import rows_of_stream
from pickwell.strategies.maxherding import MaxHerding
from pickwell.strategies.strategy import RoundView, among

MEASURES: Final = {
    "margin": uncertainty.margin,
    "entropy": uncertainty.entropy,
    "confidence": uncertainty.least_confidence,
}


@dataclass(kw_only=True)
class UHerding(MaxHerding):
    """Picks the images that, labelled, would stand for the most of what the model is unsure of.

    Use when: in doubt, on an encoder's features: it is the default there, with few labels and with many.
    Source: Bae, Oliveira and Sutherland, 2024.

    The cover of `maxherding`, in which each image weighs as much as the model is unsure of it: 1 minus the `margin`
    between the two likeliest classes, the `entropy`, or 1 minus the `confidence`. Before anything is labelled all weigh
    the same.
    """

    # Wider or narrower by a third hardly matters; half as wide loses (docs/few-labels.md).
    reach: float = 0.7
    uncertainty: Literal["margin", "entropy", "confidence"] = "margin"

    def __post_init__(self) -> None:
        super().__post_init__()
        among("uncertainty", self.uncertainty, tuple(MEASURES))

    def _measured(self, view: RoundView, pool: Stream) -> tuple[Tensor, Tensor | None]:
        if not len(view.labelled):
            return rows_of_stream(view, pool), None
        measure, unsure = MEASURES[self.uncertainty], []

        def rows() -> Iterator[Tensor]:
            for _, images in in_even_chunks(pool.batches()):
                # Of masks the mean over all pixels.
                unsure.append(reduced(measure(view.learner.predict(images)), "mean").cpu())
                yield view.learner.embed(images)

        features, weight = gathered(rows(), pool.ids()), torch.cat(unsure)
        # A model that is sure of every image, as one of a single class, says nothing of them.
        return features, weight if weight.any() else None
