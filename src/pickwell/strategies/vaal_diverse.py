"""What D calls new, covered: VAAL's picks without the look-alikes."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from pickwell.acquisition.kernel_cover import kernel_cover, neighbourhood, spaced
from pickwell.items import Pick
from pickwell.strategies.strategy import among, require
from pickwell.strategies.vaal.sight import Sight
from pickwell.strategies.vaal.strategy import VAAL
from pickwell.strategies.vaal.tables import Rows, Table

SPACES = ("inputs", "latents")


@dataclass(kw_only=True)
class VAALDiverse(VAAL):
    """Picks the images that, labelled, would stand for the most of what D calls unlabelled.

    A greedy kernel cover of the unlabelled pool in VAAL's latent space that starts from the labelled images; each image
    is to be covered as much as 1 - D says. With `space="inputs"` distances are measured between the vectors that the
    networks look at (between images themselves always by their latents). The score is the share of the pool, so
    weighted, that a pick newly covers.

    `reach` multiplies the kernel's width, which is the distance at which every label would stand for its equal share;
    `reference` is how many evenly spaced images of the pool the cover is measured on.
    """

    representation: Literal["pixels", "features", "patches", "both"] = "both"
    space: Literal["inputs", "latents"] = "latents"
    reach: float = 1.0
    reference: int = 6000

    def __post_init__(self) -> None:
        super().__post_init__()
        among("space", self.space, SPACES)
        for name in ("reach", "reference"):
            require(name, getattr(self, name), 0 < getattr(self, name) < math.inf, "a number above 0")

    def pick(self, sight: Sight, budget: int) -> list[Pick]:
        latents, weight = self._seen(sight)
        features, centres = self._vectors(sight, latents)
        places, gains = kernel_cover(
            features,
            centres,
            budget,
            bandwidth=self.reach * neighbourhood(features, centres, budget),
            weight=weight,
            reference=spaced(len(features), self.reference),
        )
        chosen = zip(sight.pools.unlabelled.ids()[places].tolist(), gains.tolist(), strict=True)
        return [Pick(item, rank, gain) for rank, (item, gain) in enumerate(chosen, start=1)]

    def _seen(self, sight: Sight) -> tuple[Rows, Tensor]:
        """The latents of the unlabelled pool, and 1 - D of each."""
        # Read to its end first: only then does `mu` hold every latent.
        weight = torch.cat([torch.sigmoid(-seen.logits).cpu() for _, seen in sight.unlabelled()])
        return sight.mu, weight

    def _vectors(self, sight: Sight, latents: Rows) -> tuple[Rows, Rows]:
        """What distances are measured between: of the unlabelled images, and of the labelled ones."""
        pools = sight.pools
        if self.space == "inputs" and isinstance(pools.unlabelled, Table) and isinstance(pools.labelled, Table):
            return pools.unlabelled.rows, pools.labelled.rows
        parts = [seen.mu.cpu().numpy() for _, seen in sight.labelled()]
        return latents, np.concatenate(parts) if parts else np.zeros((0, self.latent), dtype=np.float32)
