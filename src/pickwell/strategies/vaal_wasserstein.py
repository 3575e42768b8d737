"""VAAL without D: a VAE, and how far an image's Gaussian is from the labelled ones."""

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal, get_args

import numpy as np
import torch
from torch import Tensor

from pickwell.acquisition.coverage import lower
from pickwell.acquisition.features import gathered
from pickwell.acquisition.projection import Projection
from pickwell.acquisition.streaming import TopB
from pickwell.errors import SettingsError
from pickwell.items import Pick
from pickwell.strategies.strategy import among
from pickwell.strategies.vaal.pool_scorer import PoolScorer
from pickwell.strategies.vaal.vaal import VAAL
from pickwell.strategies.vaal.vae_and_discriminator import Encoded, Pair

Target = Literal["centroid", "nearest"]


class VAEOnlyPair(Pair):
    """Takes steps against Eq. (1) alone; D is never trained."""

    def step(self, x_l: Tensor, x_u: Tensor) -> dict[str, Tensor]:
        return {"transductive": self._vae_step(x_l, x_u)[0]["transductive"]}


@dataclass(kw_only=True)
class VAALWasserstein(VAAL):
    """VAAL's ablation without D: the query is the largest 2-Wasserstein distance to the labelled set.

    Use when: it is asked what D is worth.
    Source: Sinha, Ebrahimi and Darrell, ICCV 2019, Sec. 5.

    d_ij^2 = ||mu_i - mu_j||^2 + ||sigma_i - sigma_j||^2. `to` says what of the labelled set: its `centroid`, the mean
    of mu and of sigma, which is the Gaussians' Wasserstein barycentre (the paper's cluster centroid), or the `nearest`
    labelled image. A pick's score is the distance.
    """

    pair: ClassVar[type[Pair]] = VAEOnlyPair
    to: Target = "centroid"
    lambda2: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        among("to", self.to, get_args(Target))

    def pick(self, scorer: PoolScorer, budget: int) -> list[Pick]:
        if not len(scorer.pools.labelled):
            raise SettingsError("vaal-wasserstein measures distances to labelled images, and none is; label some first")
        centres = self._centres(scorer)
        middle, best = centres.mean(0), TopB(budget)
        for ids, encoded in scorer.unlabelled():
            distance = torch.full((len(ids),), torch.inf)
            lower(distance, gaussian(encoded), centres, middle)
            best.update(ids, distance)
        return best.picks()

    def _centres(self, scorer: PoolScorer) -> Tensor:
        """What distances are measured to, `(M, 2 x latent)`: the labelled images' points, or their mean."""
        points, ids = (gaussian(encoded) for _, encoded in scorer.labelled()), scorer.pools.labelled.ids()
        if self.to == "nearest":
            return gathered(points, ids)
        # Summed up as they come: of a million labelled images not all points may be in memory.
        total = sum((some.double().sum(0) for some in points), torch.zeros(2 * self.latent, dtype=torch.float64))
        return (total / len(ids)).float()[None]

    def monitors(self) -> dict[str, Any]:
        """What VAAL's monitors say of the latents; there is no D to speak of."""
        said = {name: value for name, value in self._report.items() if name.endswith(("_units", "_per_unit"))}
        return said | {"warnings": [text for text in self._report.get("warnings", []) if text.startswith("VAE")]}

    def projection(self) -> Projection | None:
        """The map without scores: D's mean nothing here."""
        return self._map and replace(self._map, scores=np.full_like(self._map.scores, np.nan))


def gaussian(encoded: Encoded) -> Tensor:
    """Points `(B, 2 x latent)` whose Euclidean distances are the 2-Wasserstein distances of the images' Gaussians."""
    return torch.cat((encoded.mu, (0.5 * encoded.logvar).exp()), dim=1).float().cpu()
