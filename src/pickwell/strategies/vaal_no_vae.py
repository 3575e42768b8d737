"""VAAL without the VAE: D looks at the images."""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from pickwell.learner import Devices
from pickwell.strategies.vaal.losses import discriminator_loss
from pickwell.strategies.vaal.networks import VariationalAutoencoder
from pickwell.strategies.vaal.vaal import VAAL
from pickwell.strategies.vaal.vae_and_discriminator import Pair


class ImagePair(Pair):
    """Takes steps against Eq. (3) through the encoder: its convolutions are D's own, and nothing is decoded."""

    def step(self, x_l: Tensor, x_u: Tensor) -> dict[str, Tensor]:
        with self.devices.autocast():
            mu, _ = self.vae.encode(torch.cat((x_l, x_u)))
        loss = discriminator_loss(*self.discriminator(mu).tensor_split([len(x_l)]))
        for optimiser in self._optimisers().values():
            optimiser.zero_grad(set_to_none=True)
        loss.backward()
        for optimiser in self._optimisers().values():
            optimiser.step()
        return {"discriminator": loss.detach()}


@dataclass(kw_only=True)
class VAALNoVAE(VAAL):
    """VAAL's ablation without a VAE: D alone, on images, learns Eq. (3); the query is VAAL's.

    Use when: it is asked what the VAE is worth.
    Source: Sinha, Ebrahimi and Darrell, ICCV 2019, Sec. 5.

    D is the encoder's convolutions and its dense layer of `latent` units before the five layers it has in VAAL.
    Differs from the source, which does not say what D on images looks like: ours has VAAL's layers.
    """

    pair: ClassVar[type[Pair]] = ImagePair
    beta: float = field(default=0.0, init=False)
    lambda1: float = field(default=0.0, init=False)
    lambda2: float = field(default=0.0, init=False)
    observation: Literal["calibrated", "unit", "released_code"] = field(default="calibrated", init=False)

    def _pair_of(self, vae: VariationalAutoencoder, devices: Devices) -> Pair:
        # Weights that no loss reaches would be kept, saved and moved for nothing.
        for name in ("decoder", "project"):
            setattr(vae, name, nn.Identity())
        return super()._pair_of(vae, devices)

    def monitors(self) -> dict[str, Any]:
        """What VAAL's monitors say of D; there are no latents to speak of."""
        said = {name: value for name, value in self._report.items() if not name.endswith(("_units", "_per_unit"))}
        return said | {"warnings": [text for text in said.get("warnings", []) if not text.startswith("VAE")]}

    def projection(self) -> None:
        """None: there are no latents."""
