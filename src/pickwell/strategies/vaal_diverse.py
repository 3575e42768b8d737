"""VAAL's latent space, covered: what D calls new, without the look-alikes."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from pickwell.acquisition.kernel_cover import kernel_cover, neighbourhood, spaced
from pickwell.errors import SettingsError
from pickwell.items import Pick
from pickwell.strategies.vaal.sight import Sight
from pickwell.strategies.vaal.strategy import VAAL
from pickwell.strategies.vaal.tables import Rows, allocate


@dataclass(kw_only=True)
class VAALDiverse(VAAL):
    """Picks the images that, labelled, would stand for the most of what D calls unlabelled, in VAAL's latent space.

    A greedy kernel cover of the unlabelled pool that starts from the labelled images; each image is to be covered as
    much as 1 - D says. The score is the share of the pool, so weighted, that a pick newly covers. `reach` multiplies
    the kernel's width, which is by default the distance at which every label would stand for its equal share;
    `reference` is how many evenly spaced images of the pool the cover is measured on.
    """

    representation: Literal["pixels", "features", "patches"] = "patches"
    reach: float = 1.0
    reference: int = 6000

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("reach", "reference"):
            value = getattr(self, name)
            if not value > 0:
                raise SettingsError(f"strategy.{name} is {value!r}; it must be a number above 0")

    def pick(self, sight: Sight, budget: int) -> list[Pick]:
        pool = sight.pools.unlabelled
        latents, weight, done = allocate(len(pool), self.latent), torch.empty(len(pool)), 0
        for ids, seen in sight.unlabelled():
            latents[done : done + len(ids)] = seen.mu.cpu().numpy()
            weight[done : done + len(ids)] = torch.sigmoid(-seen.logits).cpu()
            done += len(ids)
        centres = self._labelled(sight)
        places, gains = kernel_cover(
            latents,
            centres,
            budget,
            bandwidth=self.reach * neighbourhood(latents, centres, budget),
            weight=weight,
            reference=spaced(len(pool), self.reference),
        )
        chosen = zip(pool.ids()[places].tolist(), gains.tolist(), strict=True)
        return [Pick(item, rank, gain) for rank, (item, gain) in enumerate(chosen, start=1)]

    def _labelled(self, sight: Sight) -> Rows:
        parts = [seen.mu.cpu().numpy() for _, seen in sight.labelled()]
        return np.concatenate(parts) if parts else np.zeros((0, self.latent), dtype=np.float32)
