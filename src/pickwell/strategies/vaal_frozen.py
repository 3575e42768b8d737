"""VAAL without the contest: the VAE is trained and frozen before D comes."""

from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from pickwell.learner import Devices
from pickwell.strategies.strategy import require
from pickwell.strategies.vaal.networks import VariationalAutoencoder
from pickwell.strategies.vaal.vaal import VAAL
from pickwell.strategies.vaal.vae_and_discriminator import Pair


class FrozenPair(Pair):
    """Takes steps against Eq. (1) alone for `vae_steps` steps, then Eq. (3) alone."""

    vae_steps = 1

    def step(self, x_l: Tensor, x_u: Tensor) -> dict[str, Tensor]:
        if self.steps < self.vae_steps:
            return {"transductive": self._vae_step(x_l, x_u)[0]["transductive"]}
        if self.steps == self.vae_steps:
            # Frozen is the encoder that will score: its average must not go on towards the last step's weights.
            self.vae.encoder.load_state_dict(self.scoring_encoder.state_dict())
        # In eval mode: D must know the latents that it will be asked about.
        with torch.no_grad(), self.devices.autocast():
            mu, _ = self.scoring_encoder(torch.cat((x_l, x_u)))
        loss = self._discriminator_step(*mu.tensor_split([len(x_l)]))
        if self.steps == self.vae_steps:
            # D's first step: its average must not remember the weights that it was drawn with.
            self.scoring_discriminator.load_state_dict(self.discriminator.state_dict())
        return {"discriminator": loss}


@dataclass(kw_only=True)
class VAALFrozen(VAAL):
    """VAAL's ablation with a frozen VAE: Eq. (1), then Eq. (3) on the latents as they are.

    Use when: it is asked what the contest between VAE and D is worth.
    Source: Sinha, Ebrahimi and Darrell, ICCV 2019, Sec. 5.

    The first `vae_steps` of the `steps` train the VAE, the others D. The query is VAAL's. Differs from the source,
    which gives no numbers of steps: both get as many as VAAL's default.
    """

    pair: ClassVar[type[Pair]] = FrozenPair
    steps: int = 300
    vae_steps: int = 150
    lambda2: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        require("vae_steps", self.vae_steps, 1 <= self.vae_steps < self.steps, f"at least 1 and below {self.steps}")

    def _pair_of(self, vae: VariationalAutoencoder, devices: Devices) -> Pair:
        pair = super()._pair_of(vae, devices)
        assert isinstance(pair, FrozenPair)
        pair.vae_steps = self.vae_steps
        return pair
