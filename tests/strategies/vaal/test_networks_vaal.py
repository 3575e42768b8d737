"""VAAL's networks: sizes, layers, and independence of batch mates."""

import pytest
import torch
from torch import nn

from pickwell.strategies.vaal.networks import (
    PAPER_WIDTHS,
    VAE,
    Discriminator,
    FeatureVAE,
    VariationalAutoencoder,
    stages,
)


@pytest.mark.parametrize("size", [(32, 32), (16, 16), (1, 1), (5, 3), (37, 64), (96, 50), (230, 17)])
def test_a_vae_takes_images_of_any_size(size: tuple[int, int]) -> None:
    vae = VAE(size, latent=6, widths=(4, 8, 8))
    x = torch.rand(2, 3, *size)
    mu, logvar = vae.encode(x)
    assert mu.shape == logvar.shape == (2, 6)
    reconstruction = vae.decode(mu)
    assert reconstruction.shape == x.shape
    reconstruction.sum().backward()
    assert all(p.grad is not None for p in vae.decoder.parameters())


def test_every_pixel_reaches_the_latents() -> None:
    torch.manual_seed(0)
    vae = VAE((13, 22), latent=8, widths=(8, 8)).eval()
    x = torch.rand(1, 3, 13, 22, requires_grad=True)
    mu, logvar = vae.encode(x)
    (mu.square().sum() + logvar.square().sum()).backward()
    assert x.grad is not None
    assert (x.grad.abs().sum(1) > 0).all()


def test_the_papers_encoder_at_32_pixels() -> None:
    vae = VAE(32, latent=32, widths=PAPER_WIDTHS)
    convolutions = [m for m in vae.encoder.modules() if isinstance(m, nn.Conv2d)]
    assert [c.out_channels for c in convolutions] == [128, 256, 512, 1024]
    assert {(c.kernel_size, c.stride, c.padding) for c in convolutions} == {((4, 4), (2, 2), (1, 1))}
    mirrored = [m for m in vae.decoder.modules() if isinstance(m, nn.ConvTranspose2d)]
    assert [(c.in_channels, c.out_channels) for c in mirrored] == [(1024, 512), (512, 256), (256, 128), (128, 3)]
    assert (vae.encoder.mu.in_features, vae.encoder.mu.out_features) == (1024 * 2 * 2, 32)


def test_large_images_do_not_make_a_large_dense_layer() -> None:
    assert stages(224, 224, PAPER_WIDTHS) == PAPER_WIDTHS
    assert stages(688, 688, PAPER_WIDTHS) == (*PAPER_WIDTHS, 1024, 1024)
    assert stages(4, 2000, (8,)) == (8,)


def test_the_discriminator_has_the_papers_five_layers() -> None:
    discriminator = Discriminator(latent=7, width=11)
    layers = [m for m in discriminator.modules() if isinstance(m, nn.Linear)]
    assert len(layers) == 5
    assert [(m.in_features, m.out_features) for m in layers] == [(7, 11), (11, 11), (11, 11), (11, 11), (11, 1)]
    assert sum(isinstance(m, nn.ReLU) for m in discriminator.modules()) == 4
    logits = discriminator(torch.randn(300, 7) * 100)
    assert logits.shape == (300,)
    assert logits.min() < 0 or logits.max() > 1, "logits, not probabilities"


@pytest.mark.parametrize("vae", [VAE((9, 14), 5, (4, 8)), FeatureVAE(10, 5, width=8)])
def test_in_eval_mode_an_encoding_does_not_depend_on_the_batch(vae: VariationalAutoencoder) -> None:
    x = torch.rand(12, 3, 9, 14) if isinstance(vae, VAE) else torch.randn(12, 10)
    vae.train()
    vae.encode(x)
    vae.eval()
    whole = vae.encode(x)[0]
    torch.testing.assert_close(torch.cat([vae.encode(x[i : i + 1])[0] for i in range(12)]), whole)
    vae.train()
    assert not torch.allclose(vae.encode(x[:6])[0], whole[:6], atol=1e-3), "the trap is one that this test can see"


def test_latents_and_logits_are_full_precision_under_autocast() -> None:
    vae, discriminator = VAE(16, 4, (4, 8)), Discriminator(4, 8)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mu, logvar = vae.encode(torch.rand(2, 3, 16, 16))
        logits = discriminator(mu)
    assert {mu.dtype, logvar.dtype, logits.dtype} == {torch.float32}
    assert not torch.equal(mu, mu.bfloat16().float())
