"""Features learnt from the pool's own patches, without labels (Coates and Ng 2011)."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, interpolate, normalize, relu, unfold

from pickwell.acquisition.pca import leading
from pickwell.acquisition.streaming import in_blocks

SIDE = 32
"""Larger images are shrunk to this many pixels a side."""
COMPONENTS = 128
PATCHES = 40_000
ROUNDS = 10
THRESHOLD = 0.25
PIECE = 96
"""Images in a product, of whose rows none are left over then (see `models.blocks.TILE`)."""


@dataclass(frozen=True)
class PatchFeatures:
    """Images `(B, 3, H, W)` in [0, 1] to vectors `(B, D)`, D <= 128, whose largest components vary most.

    Whitened patches are compared with centroids; what exceeds a threshold, either way, is averaged over the image's
    quarters; principal components of that are kept at their natural sizes: whitened ones are noise.
    """

    size: int
    stride: int
    codes: Tensor
    offset: Tensor
    mean: Tensor
    components: Tensor

    def __call__(self, images: Tensor) -> Tensor:
        pieces = in_blocks(shrunk(images), PIECE)
        return torch.cat([self._encoded(piece) for piece in pieces])[: len(images)]

    def _encoded(self, images: Tensor) -> Tensor:
        raw = encode(images, self.size, self.stride, self.codes.to(images.device), self.offset.to(images.device))
        return (raw - self.mean.to(images.device)) @ self.components.to(images.device)


def learn(images: Tensor, generator: torch.Generator) -> PatchFeatures:
    """The features of a pool of which `images` `(n, 3, H, W)` are a fair sample. Random: the patches, the centroids."""
    images = shrunk(images.cpu())
    size, stride, count = (5, 1, 100) if min(images.shape[-2:]) < 24 else (6, 2, 200)
    patches = drawn(images, size, generator)
    mean, whitening = whiten(patches)
    codes = whitening @ centroids((patches - mean) @ whitening, count, generator).T
    raw = torch.cat([encode(part, size, stride, codes, mean @ codes) for part in torch.split(images, PIECE)])
    return PatchFeatures(size, stride, codes, mean @ codes, raw.mean(0), principal(raw))


def shrunk(images: Tensor) -> Tensor:
    """The images as they are, or at 32 x 32 if they are larger, or smaller than 8."""
    if max(images.shape[-2:]) <= SIDE and min(images.shape[-2:]) >= 8:
        return images
    return interpolate(images, (SIDE, SIDE), mode="bilinear", antialias=True)


def drawn(images: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """Contrast-normalised patches at random places of random images, `(patches, 3 x size x size)`."""
    count, _, height, width = images.shape
    # From a small pool more would only be the same ones again.
    wanted = min(PATCHES, count * (height - size + 1) * (width - size + 1))
    which, down, across = (
        torch.randint(most, (wanted,), generator=generator) for most in (count, height - size + 1, width - size + 1)
    )
    steps = torch.arange(size)
    rows, columns = down[:, None, None] + steps[:, None], across[:, None, None] + steps
    patches = images[which[:, None, None], :, rows, columns]
    return contrasted(patches.permute(0, 3, 1, 2).flatten(1), 1)


def contrasted(patches: Tensor, dim: int) -> Tensor:
    """Each patch's mean taken out and its contrast made one, unless it is flat."""
    spread = patches.var(dim, keepdim=True) + (10 / 255) ** 2
    return (patches - patches.mean(dim, keepdim=True)) / spread.sqrt()


def whiten(patches: Tensor) -> tuple[Tensor, Tensor]:
    """The patches' mean and the matrix that makes all their directions equal (ZCA)."""
    mean = patches.mean(0)
    values, vectors = torch.linalg.eigh((patches - mean).T @ (patches - mean) / len(patches))
    # Directions of little variance are noise: 0.1 keeps them small (Coates and Ng).
    return mean, vectors @ torch.diag((values.clamp_min(0) + 0.1).rsqrt()) @ vectors.T


def centroids(patches: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Directions `(count, D)` that the patches gather around, by spherical k-means."""
    found = normalize(torch.randn(count, patches.shape[1], generator=generator))
    for _ in range(ROUNDS):
        likeness = patches @ found.T
        nearest = likeness.abs().argmax(1)
        pull = likeness.gather(1, nearest[:, None]) * patches
        # A little noise keeps an empty centroid from vanishing.
        noise = 1e-3 * torch.randn(found.shape, generator=generator)
        found = normalize(torch.zeros_like(found).index_add(0, nearest, pull) + noise)
    return found


def encode(images: Tensor, size: int, stride: int, codes: Tensor, offset: Tensor) -> Tensor:
    """How much of each centroid, and of its opposite, is in each quarter of the images: `(B, 2 x codes x 4)`."""
    patches = contrasted(unfold(images, size, stride=stride), 1).transpose(1, 2)
    likeness = (patches @ codes - offset).transpose(1, 2)
    high, wide = ((side - size) // stride + 1 for side in images.shape[-2:])
    halves = relu(likeness - THRESHOLD), relu(-likeness - THRESHOLD)
    maps = torch.cat(halves, 1).unflatten(2, (high, wide))
    pooled: Tensor = adaptive_avg_pool2d(maps, 2)
    return torch.flatten(pooled, 1)


def principal(features: Tensor) -> Tensor:
    """The matrix from features to their first principal components, of mean variance one over all of them."""
    spread = features.std(0) + 1e-3
    scaled = (features - features.mean(0)) / spread / len(features) ** 0.5
    # Of few images the small product has the same components as the large one.
    few = len(scaled) < scaled.shape[1]
    product = scaled @ scaled.T if few else scaled.T @ scaled
    # Without the ridge LAPACK may answer NaN where all images are alike.
    values, vectors = leading(product + 1e-4 * torch.eye(len(product)), COMPONENTS)
    if few:
        vectors = scaled.T @ vectors / values.sqrt()
    # Real features have a variance near one here; where all images are alike, rounding must not be blown up.
    matrix: Tensor = vectors / spread[:, None] / values.mean().sqrt().clamp_min(0.1)
    return matrix
