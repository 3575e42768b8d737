"""Large images in parts: the last feature maps of tiles, put together to what the whole image would give."""

from typing import NamedTuple

import torch
from torch import Tensor

from pickwell.models.network import Network

PIXELS_A_PASS = 1 << 21
"""So many pixels go through a dense network at once: a Cityscapes scene."""
LEAST_CORE = 8
"""Places of the maps that a tile adds each way, at least, however far a network sees around them."""


class Span(NamedTuple):
    """Where a tile lies along one side, in pixels, and what of its maps is kept, in places."""

    start: int
    stop: int
    first: int
    last: int


def trunk(network: Network, image: Tensor, pixels: int = PIXELS_A_PASS) -> Tensor:
    """The network's last maps `(1, K, h, w)` of an image `(1, 3, H, W)`, of a larger one than `pixels` tile by tile.

    A tile is cut with as much of its surroundings as the network sees, so that tiles give what the whole image gives,
    everywhere, to rounding. Maps are small: what follows them (class scores drawn large, for dropout many times) needs
    no tiles.
    """
    height, width = image.shape[-2:]
    if network.receptive_field is None or height * width <= pixels:
        return network.trunk(image)
    around = -(-network.receptive_field // network.stride)
    rows = spans(height, int(pixels**0.5), around, network.stride)
    tallest = max(row.stop - row.start for row in rows)
    columns = spans(width, pixels // tallest, around, network.stride)
    return torch.cat([torch.cat([_part(network, image, row, column) for column in columns], 3) for row in rows], 2)


def spans(length: int, side: int, around: int, stride: int) -> list[Span]:
    """Cuts a side into tiles of at most `side` pixels, of which `around` places at each inner edge are surroundings.

    >>> spans(100, side=64, around=1, stride=8)
    [Span(start=0, stop=72, first=0, last=8), Span(start=56, stop=100, first=1, last=6)]
    """
    core = max(LEAST_CORE, side // stride - 2 * around)
    places, found = -(-length // stride), []
    for begin in range(0, places, core):
        end = min(begin + core, places)
        left = max(begin - around, 0)
        found.append(Span(left * stride, min((end + around) * stride, length), begin - left, end - left))
    return found


def _part(network: Network, image: Tensor, row: Span, column: Span) -> Tensor:
    maps = network.trunk(image[..., row.start : row.stop, column.start : column.stop])
    return maps[..., row.first : row.last, column.first : column.last]
