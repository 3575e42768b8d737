"""What D calls new, covered: VAAL's picks without the near-duplicates."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from pickwell.acquisition.features import gathered
from pickwell.acquisition.kernel_cover import kernel_bandwidth, kernel_cover, spaced
from pickwell.items import Pick
from pickwell.strategies.strategy import among, require
from pickwell.strategies.vaal.monitors import BLIND, COLLAPSED, SATURATED
from pickwell.strategies.vaal.pool_scorer import PoolScorer
from pickwell.strategies.vaal.vaal import VAAL
from pickwell.strategies.vaal.vector_tables import Table

SPACES = ("inputs", "latents")


@dataclass(kw_only=True)
class VAALDiverse(VAAL):
    """Picks the images that, labelled, would stand for the most of what D calls unlabelled.

    Use when: in doubt, where networks learn from pixels: it is the default there, and finds what the labels lack,
    without near-duplicates in a round.
    Source: ours, on VAAL; docs/vaal-diverse.md.

    A greedy kernel cover of the unlabelled pool in VAAL's latent space that starts from the labelled images; each image
    is to be covered as much as 1 - D says. With `space="inputs"` distances are measured between the vectors that the
    networks look at (between images themselves always by their latents). The score is the share of the pool, so
    weighted, that a pick newly covers.

    `reach` multiplies the kernel's width, which is the distance at which every label would stand for its equal share;
    `candidates` is how many evenly spaced images it picks among, at least eight for each pick: of a larger pool, all
    are covered, and these can be picked.
    """

    consequences: ClassVar[Mapping[str, str]] = {
        COLLAPSED: "distances between latents and the weights of D mean little: lower strategy.beta, or check "
        "strategy.observation",
        SATURATED: "every image weighs the same in the cover: train fewer steps (strategy.steps)",
        # More steps are no remedy: with few labels D then knows these by heart (docs/vaal-diverse.md).
        BLIND: "its weights say nothing, so the picks are a plain cover of what is not labelled",
    }
    representation: Literal["pixels", "features", "patches", "both"] = "both"
    space: Literal["inputs", "latents"] = "latents"
    reach: float = 1.0
    candidates: int = 20_000

    def __post_init__(self) -> None:
        super().__post_init__()
        among("space", self.space, SPACES)
        for name in ("reach", "candidates"):
            require(name, getattr(self, name), 0 < getattr(self, name) < math.inf, "a number above 0")

    def pick(self, scorer: PoolScorer, budget: int) -> list[Pick]:
        # Read to its end first: only then does `mu` hold every latent.
        weight = torch.cat([torch.sigmoid(-encoded.logits) for _, encoded in scorer.unlabelled()])
        features, centres = map(scorer.pair.devices.put, self._vectors(scorer))
        places, gains = kernel_cover(
            features,
            centres,
            budget,
            bandwidth=self.reach * kernel_bandwidth(features, centres, budget),
            weight=weight,
            candidates=spaced(len(features), max(self.candidates, 8 * budget)),
        )
        chosen = zip(scorer.pools.unlabelled.ids()[places].tolist(), gains.tolist(), strict=True)
        return [Pick(item, rank, gain) for rank, (item, gain) in enumerate(chosen, start=1)]

    def _vectors(self, scorer: PoolScorer) -> tuple[Tensor, Tensor]:
        """What distances are measured between: of the unlabelled images, and of the labelled ones."""
        pools = scorer.pools
        if self.space == "inputs" and isinstance(pools.unlabelled, Table) and isinstance(pools.labelled, Table):
            return torch.from_numpy(pools.unlabelled.rows), torch.from_numpy(pools.labelled.rows)
        known = gathered((encoded.mu for _, encoded in scorer.labelled()), pools.labelled.ids())
        return torch.from_numpy(scorer.mu), known
