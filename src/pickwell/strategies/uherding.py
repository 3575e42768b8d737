"""The greedy kernel cover of what the model is unsure of."""

from dataclasses import dataclass
from typing import Final, Literal

import torch
from torch import Tensor

from pickwell.acquisition import uncertainty
from pickwell.acquisition.streaming import in_even_chunks
from pickwell.acquisition.uncertainty import reduced
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

    def weights(self, view: RoundView) -> Tensor | None:
        if not len(view.labelled):
            return None
        measure = MEASURES[self.uncertainty]
        chunks = in_even_chunks(view.unlabelled.batches())
        # Of masks the mean over all pixels.
        return torch.cat([reduced(measure(view.learner.predict(images)), "mean").cpu() for _, images in chunks])
