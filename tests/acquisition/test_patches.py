"""Patch features: what each part computes, and that the whole separates textures without labels."""

import pytest
import torch
from torch import Tensor

from pickwell.acquisition.patch_features import contrasted, encode, learn, principal, shrunk, whiten


def stripes(count: int, side: int = 16, *, across: bool) -> Tensor:
    phase = torch.rand(count, 1, generator=torch.Generator().manual_seed(int(across)))
    wave = 0.5 + 0.5 * torch.sin(torch.arange(side) * 2.0 + 6 * phase)
    rows = wave[:, None, None, :].expand(count, 3, side, side)
    return rows if across else rows.transpose(2, 3)


def test_textures_lie_apart_whatever_their_phase() -> None:
    images = torch.cat((stripes(60, across=True), stripes(60, across=False)))
    features = learn(images, torch.Generator().manual_seed(0))(images)
    assert features.shape == (120, 120)
    distances = torch.cdist(features, features).fill_diagonal_(torch.inf)
    assert ((distances.argmin(1) < 60) == (torch.arange(120) < 60)).all()


@pytest.mark.parametrize("seed", range(6))
def test_a_pool_of_copies_has_features_that_say_nothing(seed: int) -> None:
    images = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0)).repeat(11, 1, 1, 1)
    assert learn(images, torch.Generator().manual_seed(seed))(images).abs().max() < 0.1


def test_an_images_features_do_not_depend_on_its_batch_and_a_seed_fixes_them() -> None:
    images = torch.rand(40, 3, 40, 56, generator=torch.Generator().manual_seed(0))
    features = learn(images, torch.Generator().manual_seed(1))
    again = learn(images, torch.Generator().manual_seed(1))
    assert torch.equal(features(images), again(images))
    torch.testing.assert_close(features(images[3:4]), features(images)[3:4])


def test_images_of_any_size_become_one_that_has_patches() -> None:
    for size in ((32, 32), (8, 30)):
        assert shrunk(torch.zeros(1, 3, *size)).shape[-2:] == size
    for size in ((64, 48), (3, 9), (33, 32)):
        assert shrunk(torch.zeros(1, 3, *size)).shape[-2:] == (32, 32)


def test_contrast_is_made_one_and_flat_patches_stay_flat() -> None:
    patches = torch.stack((torch.linspace(0, 1, 75), torch.full((75,), 0.7)))
    made = contrasted(patches, 1)
    assert made.mean(1).abs().max() < 1e-5
    assert 0.95 < float(made[0].std()) < 1
    assert made[1].abs().max() < 1e-4


def test_whitening_makes_directions_equal() -> None:
    g = torch.Generator().manual_seed(0)
    patches = torch.randn(20_000, 3, generator=g) @ torch.diag(torch.tensor([9.0, 3.0, 1.0]))
    mean, matrix = whiten(patches)
    covariance = torch.cov(((patches - mean) @ matrix).T)
    torch.testing.assert_close(
        covariance, torch.diag(torch.tensor([81, 9, 1]) / torch.tensor([81.1, 9.1, 1.1])), atol=0.05, rtol=0
    )


def test_encoding_is_the_quarters_mean_excess_of_likeness_either_way() -> None:
    images = torch.rand(2, 3, 9, 9, generator=torch.Generator().manual_seed(3))
    codes = torch.randn(75, 4, generator=torch.Generator().manual_seed(4))
    made = encode(images, 5, 1, codes, torch.full((4,), 0.1))
    patch = contrasted(images[1, :, 0:5, 0:5].reshape(1, -1), 1)
    likeness = torch.stack(
        [
            contrasted(images[1, :, r : r + 5, c : c + 5].reshape(1, -1), 1) @ codes - 0.1
            for r in (0, 1, 2)
            for c in (0, 1, 2)
        ]
    ).reshape(3, 3, 4)
    torch.testing.assert_close(patch @ codes - 0.1, likeness[0, 0][None])
    # Five places a side in two halves: 0-2 and 2-4.
    above = (likeness - 0.25).clamp_min(0).mean((0, 1))
    below = (-likeness - 0.25).clamp_min(0).mean((0, 1))
    torch.testing.assert_close(made[1].reshape(8, 4)[:4, 0], above)
    torch.testing.assert_close(made[1].reshape(8, 4)[4:, 0], below)


def test_of_few_images_the_components_are_the_same() -> None:
    features = torch.randn(30, 24, generator=torch.Generator().manual_seed(0)) * torch.arange(1, 25)
    many = torch.cat((features, features))  # 60 rows of 24 features, or 30 of 24 and 36 empty ones
    wide = torch.cat((many, torch.zeros(60, 60)), 1)
    for shape in (many, wide):
        made = (shape - shape.mean(0)) @ principal(shape)
        torch.testing.assert_close(
            made.var(0)[:24] / made.var(0)[0], sizes(many) / sizes(many)[0], atol=1e-3, rtol=1e-3
        )


def sizes(features: Tensor) -> Tensor:
    """The variances of the standardised features along their principal axes."""
    found: Tensor = torch.linalg.svdvals((features - features.mean(0)) / (features.std(0) + 1e-3)).square()
    return found


def test_components_keep_their_natural_sizes() -> None:
    g = torch.Generator().manual_seed(0)
    base = torch.randn(5000, 1, generator=g)
    features = torch.cat((base + 0.1 * torch.randn(5000, 9, generator=g), torch.randn(5000, 1, generator=g)), 1)
    made = (features - features.mean(0)) @ principal(features)
    found = made.var(0)
    assert torch.all(found[:-1] >= found[1:] - 1e-4)
    assert found[0] / found[1] > 5
    assert abs(float(found.mean()) - 1) < 0.02
