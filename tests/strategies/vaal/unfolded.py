"""What VAAL's networks say, layer by layer as they are: what scores faster must say the same."""

import torch
from torch import Tensor

from pickwell.strategies.vaal.vae_and_discriminator import Encoded, Pair


@torch.inference_mode()
def unfolded(pair: Pair, x: Tensor) -> Encoded:
    with pair.devices.autocast():
        mu, logvar = pair.scoring_encoder(x)
    return Encoded(mu, logvar, pair.scoring_discriminator(mu))
