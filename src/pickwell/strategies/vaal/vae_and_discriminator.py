"""The two networks that play against each other, their optimisers, and one step of Algorithm 1 for both."""

import math
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from pickwell.errors import TrainingError
from pickwell.learner import Devices
from pickwell.learner.checkpoints import load_optimiser, named, optimiser_tensors, under
from pickwell.strategies.vaal.losses import (
    adversarial_loss,
    discriminator_loss,
    negative_elbo,
    reparameterise,
    transductive_loss,
    vae_loss,
)
from pickwell.strategies.vaal.networks import Discriminator, VariationalAutoencoder, folded

EXPLODED = 1e4
"""Nothing is learnt at a loss above this for each value of an input, though it may stay finite."""


@dataclass(frozen=True, kw_only=True)
class Objective:
    """What the pair minimises and how fast: the paper's beta, lambda1, lambda2, alpha1 and alpha2.

    `averaging` is the share of the averaged weights that a step keeps; 0 scores with the last ones, as the paper does.
    """

    beta: float
    lambda1: float
    lambda2: float
    observation: str
    learning_rate: float
    discriminator_learning_rate: float
    averaging: float


class Encoded(NamedTuple):
    """What the networks say of some images: mu and logvar `(B, latent)` and D's logit `(B,)`, float32."""

    mu: Tensor
    logvar: Tensor
    logits: Tensor


class Pair:
    """A VAE and a discriminator of its latents, and averages over the steps of the encoder and D, which score."""

    def __init__(
        self, vae: VariationalAutoencoder, discriminator: Discriminator, objective: Objective, devices: Devices
    ) -> None:
        self.objective, self.devices, self.steps = objective, devices, 0
        self.vae, self.discriminator = devices.setup(vae), devices.setup(discriminator)
        self.vae_optimiser = devices.adam(vae, objective.learning_rate)
        self.discriminator_optimiser = devices.adam(discriminator, objective.discriminator_learning_rate)
        # Never in train mode: what scores cannot depend on an image's batch mates.
        self.scoring_encoder = deepcopy(self.vae.encoder).eval()
        self.scoring_discriminator = deepcopy(self.discriminator).eval()

    def training_step(self, x_l: Tensor, x_u: Tensor) -> dict[str, float]:
        """One step against L_VAE and one against L_D (Algorithm 1); returns the losses."""
        self.vae.train()
        self.discriminator.train()
        losses = self.step(x_l, x_u)
        self.steps += 1
        self._average(self.scoring_encoder, self.vae.encoder)
        self._average(self.scoring_discriminator, self.discriminator)
        # One transfer for all losses: each of them would wait for the device.
        values = dict(zip(losses, torch.stack(list(losses.values())).tolist(), strict=True))
        self._check(values, EXPLODED * x_l[0].numel())
        return values

    def step(self, x_l: Tensor, x_u: Tensor) -> dict[str, Tensor]:
        """Moves the weights; returns the losses. The ablations of the paper take other steps."""
        losses, mu = self._vae_step(x_l, x_u)
        # Paper: D's step encodes anew. We reuse the latents from before the VAE's step: one encoder pass fewer, and
        # the absent classes of the digits are found as well (docs/paper.md).
        return losses | {"discriminator": self._discriminator_step(*mu.detach().tensor_split([len(x_l)]))}

    def _vae_step(self, x_l: Tensor, x_u: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """One step against Eq. (4); returns its losses, and mu of both halves from before it."""
        goal, cut = self.objective, [len(x_l)]
        # One pass for both halves: in separate passes batch norm would give D the pools' statistics to win by.
        x = torch.cat((x_l, x_u))
        with self.devices.autocast():
            mu, logvar = self.vae.encode(x)
            # In float32, because the errors of all pixels are summed.
            reconstruction = self.vae.decode(reparameterise(mu, logvar)).float()
        halves = zip(*(half.tensor_split(cut) for half in (x, reconstruction, mu, logvar)), strict=True)
        transductive = transductive_loss(
            *(negative_elbo(*half, beta=goal.beta, observation=goal.observation) for half in halves)
        )
        # D judges here and is not taught: no gradient of its weights is worked out.
        self.discriminator.requires_grad_(False)
        adversarial = adversarial_loss(*self.discriminator(mu).tensor_split(cut))
        self.discriminator.requires_grad_(True)
        loss = vae_loss(transductive, adversarial, lambda1=goal.lambda1, lambda2=goal.lambda2)
        self.vae_optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.vae_optimiser.step()
        return {"transductive": transductive.detach(), "adversarial": adversarial.detach()}, mu

    def _discriminator_step(self, z_l: Tensor, z_u: Tensor) -> Tensor:
        """One step against Eq. (3); returns the loss."""
        logits = self.discriminator(torch.cat((z_l, z_u)))
        loss = discriminator_loss(*logits.tensor_split([len(z_l)]))
        self.discriminator_optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.discriminator_optimiser.step()
        return loss.detach()

    def _check(self, losses: Mapping[str, float], most: float) -> None:
        """Raises TrainingError for a loss that is not finite, or beyond `most`, with the setting to lower."""
        for name, value in losses.items():
            if not math.isfinite(value) or abs(value) > most:
                owner = "discriminator" if name == "discriminator" else "VAE"
                setting = "discriminator_learning_rate" if name == "discriminator" else "learning_rate"
                rate = getattr(self.objective, setting)
                raise TrainingError(
                    f"the {owner}'s {name} loss is {value:.4g} after {self.steps} steps: "
                    f"it diverged at learning rate {rate:g}; set strategy.{setting} lower"
                )

    @torch.no_grad()
    def _average(self, mean: nn.Module, now: nn.Module) -> None:
        # A short memory at first: the random start must not linger.
        keep = min(self.objective.averaging, (1 + self.steps) / (10 + self.steps))
        # Batch norm's statistics are averaged too: they belong to the weights.
        for old, new in zip(mean.state_dict().values(), now.state_dict().values(), strict=True):
            if old.is_floating_point():
                old.lerp_(new, 1 - keep)

    @torch.inference_mode()
    def encoding(self) -> Callable[[Tensor], Encoded]:
        """What the averaged encoder and D, as they are now, say of inputs; made once for a whole pool."""
        encoder = folded(self.scoring_encoder)
        if self.devices.precision == "bf16":
            for layer in encoder.body.children():
                if isinstance(layer, nn.Conv2d):  # a copy; vectors' layers are the encoder's own, and stay in float32
                    layer.to(torch.bfloat16)
        encoder = self.devices.setup(encoder)

        @torch.inference_mode()
        def encode(x: Tensor) -> Encoded:
            with self.devices.autocast():
                mu, logvar = encoder(x)
            return Encoded(mu, logvar, self.scoring_discriminator(mu))

        return encode

    def state(self) -> dict[str, Tensor]:
        """Every tensor of the networks, their averages and the optimisers, and the number of steps taken."""
        tensors = {"steps": torch.tensor(self.steps)}
        for name, module in self._modules().items():
            tensors |= named(name, module.state_dict())
        for name, optimiser in self._optimisers().items():
            tensors |= named(name, optimiser_tensors(optimiser))
        return tensors

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Puts back what `state` returned."""
        self.steps = int(state["steps"])
        for name, module in self._modules().items():
            module.load_state_dict(under(name, state))
        for name, optimiser in self._optimisers().items():
            load_optimiser(optimiser, under(name, state))

    def _modules(self) -> dict[str, nn.Module]:
        return {
            "vae": self.vae,
            "discriminator": self.discriminator,
            "scoring_encoder": self.scoring_encoder,
            "scoring_discriminator": self.scoring_discriminator,
        }

    def _optimisers(self) -> dict[str, torch.optim.Optimizer]:
        return {"vae_optimiser": self.vae_optimiser, "discriminator_optimiser": self.discriminator_optimiser}
