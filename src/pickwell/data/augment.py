"""Batched augmentations: one gather a batch, whatever the samples' own offsets; random by an explicit generator."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from pickwell.errors import SettingsError, unknown


def crop_flip(images: Tensor, generator: torch.Generator, padding: int | None = None, flip: bool = True) -> Tensor:
    """Images `(B, C, H, W)` of any type, each cropped out of its own reflect-padded copy, then mirrored or not.

    `padding` is an eighth of the short side unless given. Random: offsets down, offsets across, then the coins,
    each `(B,)`. The result is contiguous.
    """
    count, _, height, width = images.shape
    padding = min(height, width) // 8 if padding is None else padding
    if not 0 <= padding < min(height, width):
        raise SettingsError(
            f"padding {padding} does not fit images of {width} x {height}; "
            f"it must be from 0 to {min(height, width) - 1}"
        )
    rows = _moved(height, padding, count, generator)
    columns = _moved(width, padding, count, generator)
    if flip:
        coins = torch.rand(count, 1, generator=generator, device=generator.device) < 0.5
        columns = torch.where(coins, columns.flip(1), columns)
    return _gathered(images, rows.to(images.device), columns.to(images.device))


def _moved(side: int, padding: int, count: int, generator: torch.Generator) -> Tensor:
    """Where each pixel of a side comes from, `(B, side)`: shifted by a random offset, reflected at the edges."""
    where = generator.device
    offsets = torch.randint(-padding, padding + 1, (count, 1), generator=generator, device=where)
    # Reflected without a branch: |x| at the first edge, and the same from the other end.
    at = (offsets + torch.arange(side, device=where)).abs_()
    return (side - 1) - ((side - 1) - at).abs_()


def _gathered(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    count, channels, height, width = images.shape
    # Rows and columns as one index, so that one gather moves every image its own way.
    at = (rows[:, :, None] * width + columns[:, None, :]).view(count, 1, height * width)
    return images.flatten(2).gather(2, at.expand(-1, channels, -1)).view(images.shape)


flip = partial(crop_flip, padding=0)
"""Every image `(B, C, H, W)` mirrored left to right with probability 1/2."""
crop = partial(crop_flip, flip=False)
"""Every image moved by up to `padding` pixels each way, its edges reflected; see `crop_flip`."""

PRESETS: dict[str, Callable[[Tensor, torch.Generator], Tensor]] = {
    "none": lambda images, generator: images,
    "crop": crop,
    "crop-flip": crop_flip,
}
"""The augmentations by name. Digits and signs want "crop": a mirrored digit is another sign, or none."""


def available() -> list[str]:
    """The names that `augment` knows.

    >>> available()
    ['crop', 'crop-flip', 'none']
    """
    return sorted(PRESETS)


def augment(name: str, images: Tensor, generator: torch.Generator) -> Tensor:
    """Images `(B, C, H, W)` augmented as the preset `name` says; vectors `(B, D)` in place of images as they are."""
    if name not in PRESETS:
        raise SettingsError(unknown("augmentation", name, PRESETS))
    return PRESETS[name](images, generator) if images.dim() > 2 else images
