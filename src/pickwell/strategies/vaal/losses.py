"""Eq. (1)-(4) of the paper, each a function of tensors returning a scalar.

Sinha, Ebrahimi, Darrell: Variational Adversarial Active Learning, ICCV 2019. D's outputs are logits throughout:
D(z) = sigmoid(logit) is the probability that z's image is labelled.
"""

import math

import torch
from torch import Tensor
from torch.nn.functional import softplus

OBSERVATIONS = ("calibrated", "unit", "released_code")
# A perfect reconstruction would have a log-likelihood of plus infinity; 8-bit images cannot tell errors below this.
MINIMAL_VARIANCE = 1e-6


def reconstruction_error(x: Tensor, reconstruction: Tensor, *, observation: str = "calibrated") -> Tensor:
    """-E[log p(x|z)] of Eq. (1), up to a constant: summed over the pixels of one image, averaged over the batch.

    `calibrated`: a Gaussian of the best variance, which is the batch's mean squared error, so that the term is
    pixels / 2 x log MSE (Rybkin et al. 2021). `unit`: a Gaussian of variance 1. `released_code`: the mean over batch
    and pixels.
    """
    mse = (x - reconstruction).square().mean()
    pixels = math.prod(x.shape[1:])
    if observation == "calibrated":
        return pixels / 2 * (mse + MINIMAL_VARIANCE).log()
    if observation == "unit":
        return pixels / 2 * mse
    assert observation == "released_code", observation
    # Authors' code: this mean beside a KL summed over the whole batch, so beta is batch x pixels / 2 and nothing is
    # encoded. Kept to show the collapse.
    return mse


def kl_divergence(mu: Tensor, logvar: Tensor) -> Tensor:
    """KL(q(z|x) || N(0, I)) of each image and latent dimension, `(B, latent)`, for q = N(mu, exp(logvar))."""
    return 0.5 * (mu.square() + logvar.exp() - 1 - logvar)


def negative_elbo(
    x: Tensor, reconstruction: Tensor, mu: Tensor, logvar: Tensor, *, beta: float = 1.0, observation: str = "calibrated"
) -> Tensor:
    """One pool's half of Eq. (1), negated so that it is minimised: reconstruction error + beta KL, for one image.

    x and reconstruction `(B, ...)`, mu and logvar `(B, latent)`. Summed over one image's pixels and latent dimensions,
    averaged over the batch: beta means the same at any batch size and resolution.
    """
    kl = kl_divergence(mu, logvar)
    kl = kl.sum() if observation == "released_code" else kl.sum(1).mean()
    return reconstruction_error(x, reconstruction, observation=observation) + beta * kl


def transductive_loss(negative_elbo_labelled: Tensor, negative_elbo_unlabelled: Tensor) -> Tensor:
    """Eq. (1), negated: both pools' negative evidence lower bounds.

    As printed it is the bound itself, which is maximised; Eq. (4) adds it to a loss, so it must enter negated.
    """
    return negative_elbo_labelled + negative_elbo_unlabelled


def adversarial_loss(logits_labelled: Tensor, logits_unlabelled: Tensor) -> Tensor:
    """Eq. (2): -E[log D(z_L)] - E[log D(z_U)]; the VAE wants both pools called labelled. Logits `(B,)`."""
    return softplus(-logits_labelled).mean() + softplus(-logits_unlabelled).mean()


def discriminator_loss(logits_labelled: Tensor, logits_unlabelled: Tensor) -> Tensor:
    """Eq. (3): -E[log D(z_L)] - E[log(1 - D(z_U))]; D tells the pools apart. Logits `(B,)`."""
    return softplus(-logits_labelled).mean() + softplus(logits_unlabelled).mean()


def vae_loss(transductive: Tensor, adversarial: Tensor, *, lambda1: float = 1.0, lambda2: float = 1.0) -> Tensor:
    """Eq. (4): lambda1 L_trd + lambda2 L_adv, with L_trd negated as `transductive_loss` returns it."""
    return lambda1 * transductive + lambda2 * adversarial


def reparameterise(mu: Tensor, logvar: Tensor) -> Tensor:
    """A sample of N(mu, exp(logvar)) through which gradients flow; its noise is torch's default generator's."""
    return mu + torch.randn_like(mu) * (0.5 * logvar).exp()
