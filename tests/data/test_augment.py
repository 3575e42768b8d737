import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from pickwell.data.augment import augment, available, crop, crop_flip, flip
from pickwell.errors import SettingsError


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def candidates(image: np.ndarray, padding: int, flips: bool) -> dict[bytes, tuple[int, int, bool]]:
    """By numpy, one by one: every crop of the reflect-padded image `(C, H, W)`, mirrored and not."""
    _, height, width = image.shape
    padded = np.pad(image, ((0, 0), (padding, padding), (padding, padding)), mode="reflect")
    found = {}
    for top in range(2 * padding + 1):
        for left in range(2 * padding + 1):
            cut = padded[:, top : top + height, left : left + width]
            found[cut.tobytes()] = (top, left, False)
            if flips:
                found[cut[:, :, ::-1].tobytes()] = (top, left, True)
    return found


@given(
    height=st.integers(3, 9),
    width=st.integers(3, 9),
    padding=st.integers(0, 2),
    flips=st.booleans(),
    kind=st.sampled_from([torch.float32, torch.uint8, torch.float64]),
    seed=st.integers(0, 1000),
)
def test_each_image_is_one_of_its_own_crops(
    height: int, width: int, padding: int, flips: bool, kind: torch.dtype, seed: int
) -> None:
    images = torch.randint(0, 256, (4, 3, height, width), generator=generator(seed)).to(kind)
    cut = crop_flip(images, generator(seed), padding, flips)
    assert (cut.dtype, cut.shape) == (kind, images.shape)
    for before, after in zip(images.numpy(), cut.numpy(), strict=True):
        assert after.tobytes() in candidates(before, padding, flips)


def test_every_offset_and_side_comes_up_about_equally_often() -> None:
    image = torch.arange(3 * 64, dtype=torch.float32).view(1, 3, 8, 8)
    crops = candidates(image[0].numpy(), 1, flips=True)
    assert len(crops) == 18
    counts: dict[tuple[int, int, bool], int] = {}
    for cut in crop_flip(image.expand(9000, -1, -1, -1), generator(), 1).numpy():
        place = crops[cut.tobytes()]
        counts[place] = counts.get(place, 0) + 1
    assert len(counts) == 18
    assert 400 < min(counts.values()) <= max(counts.values()) < 600


def test_flip_mirrors_about_half() -> None:
    images = torch.rand(1000, 3, 4, 5, generator=generator(1))
    flipped = flip(images, generator(2))
    same = (flipped == images).flatten(1).all(1)
    mirrored = (flipped == images.flip(3)).flatten(1).all(1)
    assert (same ^ mirrored).all()
    assert 430 < mirrored.sum() < 570


def test_crop_never_mirrors_and_moves_by_an_eighth() -> None:
    image = torch.arange(32 * 32, dtype=torch.float32).view(1, 1, 32, 32)
    crops = candidates(image[0].numpy(), 4, flips=False)
    assert len(crops) == 81
    places = {crops[cut.tobytes()][:2] for cut in crop(image.expand(3000, -1, -1, -1), generator()).numpy()}
    assert len(places) == 81


def test_only_the_generator_decides() -> None:
    images = torch.rand(64, 3, 16, 16, generator=generator())
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first = augment("crop-flip", images, generator(5))
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(first, augment("crop-flip", images, generator(5)))
    assert not torch.equal(first, augment("crop-flip", images, generator(6)))


@pytest.mark.parametrize("name", available())
def test_layout_does_not_change_the_result(name: str) -> None:
    images = torch.rand(8, 3, 16, 16, generator=generator())
    kept = images.clone()
    result = augment(name, images, generator(1))
    last = augment(name, images.contiguous(memory_format=torch.channels_last), generator(1))
    assert torch.equal(result, last)
    assert torch.equal(images, kept)


def test_presets() -> None:
    images = torch.rand(200, 3, 8, 8, generator=generator())
    assert augment("none", images, generator()) is images

    def mirrored(name: str) -> Tensor:
        result, straight = augment(name, images, generator(3)), crop(images, generator(3))
        return (result != straight).flatten(1).any(1).sum()

    assert mirrored("crop") == 0
    assert 60 < mirrored("crop-flip") < 140
    with pytest.raises(SettingsError, match="unknown augmentation 'cropflip'; did you mean 'crop-flip'"):
        augment("cropflip", images, generator())


def test_vectors_in_place_of_images_stay_as_they_are() -> None:
    vectors = torch.rand(5, 9, generator=generator())
    assert all(augment(name, vectors, generator()) is vectors for name in available())


def test_tiny_images_are_left_where_they_are() -> None:
    images = torch.rand(5, 3, 1, 7, generator=generator())
    assert torch.equal(crop(images, generator()), images)
    with pytest.raises(SettingsError, match="padding 1 does not fit images of 7 x 1; it must be from 0 to 0"):
        crop(images, generator(), 1)
