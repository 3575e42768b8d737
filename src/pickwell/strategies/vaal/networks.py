"""VAAL's networks: variational autoencoders of images and of feature vectors, and the discriminator of latents."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import relu
from torch.nn.utils.fusion import fuse_conv_bn_eval

from pickwell.models.blocks import Linear
from pickwell.strategies.vaal.convolutions import Down, Up

PAPER_WIDTHS = (128, 256, 512, 1024)
SMALL_WIDTHS = (16, 32, 64, 128)
# The paper's four stages leave 14 x 14 of a 224-pixel image. Left alone, 688 pixels would make 43 x 43 and the dense
# layers 700 million weights; further stages of the last width keep the map at this size.
LARGEST_MAP = 14


class Encoder(nn.Module):
    """The q(z|x) of a VAE: `(B, ...)` -> mu and logvar, each `(B, latent)`, float32. All that scoring needs."""

    def __init__(self, body: nn.Module, features: int, latent: int) -> None:
        super().__init__()
        self.body = body
        self.mu = Linear(features, latent)
        self.logvar = Linear(features, latent)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.body(x)
        # In bfloat16 a latent has three digits: scores would tie and picks hang on rounding.
        with torch.autocast(hidden.device.type, enabled=False):
            hidden = hidden.float()
            return self.mu(hidden), self.logvar(hidden)


class VariationalAutoencoder(nn.Module, ABC):
    """An encoder to a diagonal Gaussian over latents and a decoder back."""

    decoder: nn.Module

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The mu and logvar of q(z|x), each `(B, latent)`, float32; the decoder is not touched."""
        parameters: tuple[Tensor, Tensor] = self.encoder(x)
        return parameters

    @abstractmethod
    def decode(self, z: Tensor) -> Tensor:
        """The mean of p(x|z), shaped like x, of latents `(B, latent)`."""


class VAE(VariationalAutoencoder):
    """A convolutional VAE for images `(B, channels, H, W)` in [0, 1] of any height and width.

    Each stage is a stride-2 4x4 convolution with batch norm and ReLU; the decoder mirrors them. Images are padded at
    the right and bottom to a multiple of the stride and the reconstruction is cropped back. Widths that would shrink
    the map below 2 pixels are left out; a map above 14 pixels gets further stages of the last width.
    """

    def __init__(
        self, image_size: int | tuple[int, int], latent: int, widths: Sequence[int] = SMALL_WIDTHS, channels: int = 3
    ) -> None:
        height, width = (image_size, image_size) if isinstance(image_size, int) else image_size
        used = stages(height, width, widths)
        stride = 2 ** len(used)
        shape = (used[-1], -(-height // stride), -(-width // stride))
        sizes = (channels, *used)
        margin = nn.ReplicationPad2d((0, shape[2] * stride - width, 0, shape[1] * stride - height))
        layers: list[nn.Module] = [margin] if any(margin.padding) else []
        layers += [layer for pair in pairwise(sizes) for layer in _down(*pair)]
        features = math.prod(shape)
        super().__init__(Encoder(nn.Sequential(*layers, nn.Flatten()), features, latent))
        self.height, self.width, self.shape = height, width, shape
        self.project = nn.Linear(latent, features)
        ups = [layer for pair in pairwise(reversed(used)) for layer in _up(*pair)]
        self.decoder = nn.Sequential(*ups, nn.ConvTranspose2d(used[0], channels, 4, 2, 1))

    def decode(self, z: Tensor) -> Tensor:
        image: Tensor = self.decoder(relu(self.project(z)).view(-1, *self.shape))
        return image[..., : self.height, : self.width]


class FeatureVAE(VariationalAutoencoder):
    """A VAE for standardised feature vectors `(B, features)`: two hidden layers of `width` each way."""

    def __init__(self, features: int, latent: int, width: int = 256) -> None:
        super().__init__(Encoder(nn.Sequential(*_dense(features, width), *_dense(width, width)), width, latent))
        self.decoder = nn.Sequential(*_dense(latent, width), *_dense(width, width), nn.Linear(width, features))

    def decode(self, z: Tensor) -> Tensor:
        vectors: Tensor = self.decoder(z)
        return vectors


class Discriminator(nn.Module):
    """The logit that a latent's image is labelled: `(B, latent)` -> `(B,)`, float32."""

    # Paper: 5 layers; authors' code: 3. We: 5.
    layers = 5

    def __init__(self, latent: int, width: int = 256) -> None:
        super().__init__()
        sizes = (latent, *[width] * (self.layers - 1))
        hidden = (layer for pair in pairwise(sizes) for layer in (Linear(*pair), nn.ReLU()))
        self.network = nn.Sequential(*hidden, nn.Linear(sizes[-1], 1))

    def forward(self, z: Tensor) -> Tensor:
        *hidden, last = self.network
        assert isinstance(last, nn.Linear)
        with torch.autocast(z.device.type, enabled=False):
            z = z.float()
            for layer in hidden:
                z = layer(z)
            # Not by a product with a matrix of one column: there a row's rounding hangs on its place in the batch, and
            # equal images would not tie.
            logits: Tensor = (z * last.weight).sum(1) + last.bias
        return logits


def folded(encoder: Encoder) -> Encoder:
    """An encoder that only scores, a tenth faster: batch norms folded into copies of the convolutions."""
    layers: list[nn.Module] = []
    for layer in encoder.body.children():
        if isinstance(layer, nn.BatchNorm2d):
            (convolution,) = layers[-1:]
            assert isinstance(convolution, nn.Conv2d)
            layers[-1] = fuse_conv_bn_eval(convolution, layer)
        else:
            layers.append(layer)
    with torch.device("meta"):  # the two layers that it would draw are replaced at once
        quick = Encoder(nn.Sequential(*layers), encoder.mu.in_features, encoder.mu.out_features)
    quick.mu, quick.logvar = encoder.mu, encoder.logvar
    return quick.eval()


def stages(height: int, width: int, widths: Sequence[int]) -> tuple[int, ...]:
    """The widths of the stages for an image of this size.

    >>> stages(32, 32, (16, 32, 64, 128)), stages(16, 16, (16, 32, 64, 128)), stages(688, 688, (8, 16))
    ((16, 32, 64, 128), (16, 32, 64), (8, 16, 16, 16, 16, 16))
    """
    # So many halvings leave at least 2 of the shorter side.
    possible = max(1, min(height, width).bit_length() - 2)
    used = tuple(widths[:possible])
    while -(-max(height, width) // 2 ** len(used)) > LARGEST_MAP and len(used) < possible:
        used += (used[-1],)
    return used


def _down(inside: int, outside: int) -> tuple[nn.Module, ...]:
    return Down(inside, outside), nn.BatchNorm2d(outside), nn.ReLU()


def _up(inside: int, outside: int) -> tuple[nn.Module, ...]:
    return Up(inside, outside), nn.BatchNorm2d(outside), nn.ReLU()


def _dense(inside: int, outside: int) -> tuple[nn.Module, ...]:
    # Batch norm takes a bias out again, and has one itself.
    return Linear(inside, outside, bias=False), nn.BatchNorm1d(outside), nn.ReLU()
