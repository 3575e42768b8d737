"""Eq. (1)-(4) against plain numpy, their gradients, and what beta means."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from pickwell.strategies.vaal.losses import (
    MINIMAL_VARIANCE,
    adversarial_loss,
    discriminator_loss,
    kl_divergence,
    negative_elbo,
    reconstruction_error,
    reparameterise,
    transductive_loss,
    vae_loss,
)

Array = npt.NDArray[np.float64]
SHAPE = (5, 3, 4, 6)


def tensors(seed: int = 0, shape: tuple[int, ...] = SHAPE, latent: int = 7) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    g = torch.Generator().manual_seed(seed)
    x, reconstruction = (torch.rand(shape, generator=g, dtype=torch.float64) for _ in range(2))
    mu, logvar = (torch.randn(shape[0], latent, generator=g, dtype=torch.float64) for _ in range(2))
    return x, reconstruction, mu, logvar


def reference_error(x: Array, reconstruction: Array, observation: str) -> float:
    per_image = ((x - reconstruction) ** 2).reshape(len(x), -1)
    pixels = per_image.shape[1]
    if observation == "released_code":
        return float(per_image.sum() / (len(x) * pixels))
    variance = float(per_image.mean()) if observation == "calibrated" else 1.0
    log_likelihood = -per_image / (2 * variance) - 0.5 * np.log(variance)
    constant = pixels / 2 if observation == "calibrated" else 0.0
    return float(-log_likelihood.sum(1).mean() - constant)


def reference_kl(mu: Array, logvar: Array) -> Array:
    """KL(N(m, s^2) || N(0, 1)) = log(1 / s) + (s^2 + m^2 - 1) / 2."""
    deviation = np.exp(logvar / 2)
    terms: Array = np.log(1 / deviation) + (deviation**2 + mu**2 - 1) / 2
    return terms


@pytest.mark.parametrize("observation", ["calibrated", "unit", "released_code"])
@pytest.mark.parametrize("beta", [0.0, 1.0, 2.5])
def test_negative_elbo_is_the_formula(observation: str, beta: float) -> None:
    x, reconstruction, mu, logvar = tensors()
    kl = reference_kl(mu.numpy(), logvar.numpy()).sum(1)
    expected = reference_error(x.numpy(), reconstruction.numpy(), observation)
    expected += beta * (kl.sum() if observation == "released_code" else kl.mean())
    made = negative_elbo(x, reconstruction, mu, logvar, beta=beta, observation=observation)
    # The variance's floor of 1e-6 shifts the calibrated term by less than this.
    assert made.item() == pytest.approx(expected, abs=1e-3 if observation == "calibrated" else 1e-9)


def test_the_calibrated_term_is_the_best_gaussians() -> None:
    x, reconstruction, _, _ = tensors()
    best = min(
        float((x - reconstruction).square().sum() / (2 * v * len(x)) + 72 / 2 * np.log(v)) - 72 / 2
        for v in np.geomspace(0.01, 1, 4001)
    )
    assert reconstruction_error(x, reconstruction).item() == pytest.approx(best, abs=1e-3)


def test_a_perfect_reconstruction_has_a_finite_loss_and_gradient() -> None:
    x = torch.rand(2, 3, 4, 4, requires_grad=True)
    loss = reconstruction_error(x, x.detach())
    loss.backward()
    assert loss.item() == pytest.approx(48 / 2 * np.log(MINIMAL_VARIANCE))
    assert x.grad is not None
    assert x.grad.isfinite().all()


def test_kl_is_per_image_and_dimension() -> None:
    _, _, mu, logvar = tensors()
    np.testing.assert_allclose(kl_divergence(mu, logvar).numpy(), reference_kl(mu.numpy(), logvar.numpy()), rtol=1e-12)
    assert kl_divergence(torch.zeros(1, 2), torch.zeros(1, 2)).tolist() == [[0.0, 0.0]]


def sigmoid(logits: Array) -> Array:
    made: Array = 1 / (1 + np.exp(-logits))
    return made


def test_the_adversarial_losses_are_the_formulas() -> None:
    g = torch.Generator().manual_seed(1)
    labelled, unlabelled = (3 * torch.randn(n, generator=g, dtype=torch.float64) for n in (6, 9))
    d_l, d_u = sigmoid(labelled.numpy()), sigmoid(unlabelled.numpy())
    assert adversarial_loss(labelled, unlabelled).item() == pytest.approx(-np.log(d_l).mean() - np.log(d_u).mean())
    assert discriminator_loss(labelled, unlabelled).item() == pytest.approx(
        -np.log(d_l).mean() - np.log(1 - d_u).mean()
    )


def test_eq_1_and_4_are_sums() -> None:
    assert transductive_loss(torch.tensor(2.0), torch.tensor(3.5)).item() == 5.5
    assert vae_loss(torch.tensor(2.0), torch.tensor(3.0), lambda1=0.5, lambda2=10.0).item() == 31.0
    assert vae_loss(torch.tensor(2.0), torch.tensor(3.0)).item() == 5.0


def test_extreme_logits_stay_finite_and_keep_a_gradient() -> None:
    logits = torch.tensor([200.0, -200.0], requires_grad=True)
    (adversarial_loss(logits, logits) + discriminator_loss(logits, logits)).backward()
    assert logits.grad is not None
    torch.testing.assert_close(logits.grad, torch.tensor([0.5, -1.5]))


def test_the_direction_of_the_game() -> None:
    """D is rewarded for calling labelled 1 and unlabelled 0; the VAE for having both called 1."""
    pools = [torch.zeros(4, requires_grad=True) for _ in range(2)]
    labelled, unlabelled = torch.autograd.grad(discriminator_loss(*pools), pools)
    assert (labelled < 0).all()
    assert (unlabelled > 0).all()
    labelled, unlabelled = torch.autograd.grad(adversarial_loss(*pools), pools)
    assert (labelled < 0).all()
    assert (unlabelled < 0).all()


@pytest.mark.parametrize(
    "loss",
    [
        lambda *t: negative_elbo(*t, beta=1.3, observation="calibrated"),
        lambda *t: negative_elbo(*t, beta=1.3, observation="unit"),
        lambda *t: negative_elbo(*t, beta=1.3, observation="released_code"),
        lambda _x, _r, mu, logvar: adversarial_loss(mu[:, 0], logvar[:, 0]),
        lambda _x, _r, mu, logvar: discriminator_loss(mu[:, 0], logvar[:, 0]),
    ],
)
def test_gradients_match_finite_differences(loss: Callable[..., Tensor]) -> None:
    inputs = [t.requires_grad_() for t in tensors(shape=(3, 1, 2, 2), latent=2)]
    assert torch.autograd.gradcheck(loss, inputs)


@settings(deadline=None)
@given(seed=st.integers(0, 99), copies=st.integers(1, 4), observation=st.sampled_from(["calibrated", "unit"]))
def test_beta_means_the_same_at_any_batch_size(seed: int, copies: int, observation: str) -> None:
    parts = tensors(seed)
    more = [t.repeat(copies, *[1] * (t.dim() - 1)) for t in parts]
    for beta in (0.0, 1.0):
        once = negative_elbo(*parts, beta=beta, observation=observation)
        torch.testing.assert_close(negative_elbo(*more, beta=beta, observation=observation), once)


@settings(deadline=None)
@given(seed=st.integers(0, 99), scale=st.integers(1, 3), observation=st.sampled_from(["calibrated", "unit"]))
def test_beta_means_the_same_at_any_resolution(seed: int, scale: int, observation: str) -> None:
    """An image of n times the pixels is n times the evidence; the KL of its latents stays what it was."""
    x, reconstruction, mu, logvar = tensors(seed)
    large = [t.repeat_interleave(scale, 2).repeat_interleave(scale, 3) for t in (x, reconstruction)]
    small_error = reconstruction_error(x, reconstruction, observation=observation)
    made = negative_elbo(large[0], large[1], mu, logvar, beta=1.0, observation=observation)
    torch.testing.assert_close(made - scale**2 * small_error, kl_divergence(mu, logvar).sum(1).mean())


def test_the_released_codes_beta_grows_with_batch_and_pixels() -> None:
    """Its balance of the two terms is that of the unit Gaussian with beta = batch x pixels / 2."""
    x, reconstruction, mu, logvar = tensors()
    released = negative_elbo(x, reconstruction, mu, logvar, observation="released_code")
    pixels, batch = 3 * 4 * 6, len(x)
    same = negative_elbo(x, reconstruction, mu, logvar, beta=batch * pixels / 2, observation="unit")
    torch.testing.assert_close(released * pixels / 2, same)


def test_samples_have_the_mean_and_variance_asked_for() -> None:
    torch.manual_seed(0)
    mu, logvar = torch.tensor([[1.0, -2.0]]).expand(40_000, 2), torch.tensor([[0.0, 1.0]]).expand(40_000, 2)
    z = reparameterise(mu, logvar)
    torch.testing.assert_close(z.mean(0), torch.tensor([1.0, -2.0]), atol=0.03, rtol=0)
    torch.testing.assert_close(z.var(0), torch.tensor([1.0, np.e], dtype=torch.float32), atol=0.06, rtol=0)
