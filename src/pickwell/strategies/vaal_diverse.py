"""VAAL's latent space, covered: what D calls new, without the look-alikes."""

from dataclasses import dataclass

import numpy as np
import torch

from pickwell.acquisition.coverage import k_center
from pickwell.acquisition.streaming import TopB
from pickwell.errors import SettingsError
from pickwell.items import Pick
from pickwell.strategies.vaal.sight import Sight
from pickwell.strategies.vaal.strategy import VAAL
from pickwell.strategies.vaal.tables import Rows, allocate


@dataclass(kw_only=True)
class VAALDiverse(VAAL):
    """D keeps the images it calls most surely unlabelled; a greedy k-center over their latents picks among them.

    The cover starts from the labelled images' latents; every distance is weighted by 1 - D. `candidates` is how many
    images D keeps for each one picked. The score is the weighted distance to the nearest image labelled or picked.
    """

    candidates: float = 5.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.candidates >= 1:
            raise SettingsError(f"strategy.candidates is {self.candidates!r}; it must be a number of at least 1")

    def pick(self, sight: Sight, budget: int) -> list[Pick]:
        pool = sight.pools.unlabelled
        latents, best, done = allocate(len(pool), self.latent), TopB(self._kept(budget, len(pool))), 0
        for ids, seen in sight.unlabelled():
            latents[done : done + len(ids)] = seen.mu.cpu().numpy()
            best.update(ids, -seen.logits)
            done += len(ids)
        # In ascending order of id, so that the cover's ties go to the lower one.
        ids, order = best.ids().sort()
        kept = latents[torch.searchsorted(pool.ids(), ids).numpy()]
        weight = best.scores()[order].sigmoid().float()
        places, gaps = k_center(kept, self._labelled(sight), budget, weight=weight)
        chosen = zip(ids[places].tolist(), gaps.tolist(), strict=True)
        return [Pick(item, rank, gap) for rank, (item, gap) in enumerate(chosen, start=1)]

    def _kept(self, budget: int, available: int) -> int:
        return min(available, round(self.candidates * budget))

    def _labelled(self, sight: Sight) -> Rows:
        parts = [seen.mu.cpu().numpy() for _, seen in sight.labelled()]
        return np.concatenate(parts) if parts else np.zeros((0, self.latent), dtype=np.float32)
