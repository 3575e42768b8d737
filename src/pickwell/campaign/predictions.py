"""What the model makes of a round's picks, pixel by pixel: `rounds/0003/17.mask.png` and `17.uncertainty.png`."""

import logging
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from pickwell.acquisition.uncertainty import entropy
from pickwell.data.files import replacing
from pickwell.errors import PoolError
from pickwell.learner import Learner
from pickwell.masks import encode
from pickwell.strategies import Stream

logger = logging.getLogger("pickwell")

MOST = 100
"""Picks of a round that predictions are written of, the best ranks first."""

LONGEST = 512
"""Pixels of the longer side of a map of uncertainty, at most: noise packs badly, and it is only looked at."""


def write_predictions(
    folder: Path, number: int, picks: Sequence[int], learner: Learner, streams: Callable[[Tensor], Stream]
) -> None:
    """Writes, before the round opens, what is predicted of each pick: a label map and a map of its uncertainty.

    Both are 8-bit grey PNGs named after the item's id: the label map as large as the image, the uncertainty at most 512
    pixels long. Uncertainty is the prediction's entropy: 0 for certain, 255 for all classes alike. They are for people
    to look at: where they cannot be written, the round opens without them.
    """
    here = folder / f"{number:04d}"
    try:
        here.mkdir(parents=True, exist_ok=True)
        for ids, images in streams(torch.tensor(sorted(picks[:MOST]))).batches():
            probabilities = learner.predict(images)
            guesses = probabilities.max(1).indices.byte().cpu().numpy()
            unsure = uncertainty(probabilities).mul(255).round().byte().cpu().numpy()
            for item, guess, doubt in zip(ids.tolist(), guesses, unsure, strict=True):
                _write(here / f"{item}.mask.png", guess)
                _write(here / f"{item}.uncertainty.png", doubt)
    except (OSError, PoolError) as error:
        logger.warning("round %d has no predictions to look at: %s", number, error)


def uncertainty(probabilities: Tensor, longest: int = LONGEST) -> Tensor:
    """The entropy of each pixel in parts of log C, `(B, h, w)` in [0, 1]; of large images means over areas."""
    shares = entropy(probabilities).div(math.log(probabilities.shape[1])).clamp(0, 1)
    height, width = shares.shape[-2:]
    if max(height, width) <= longest:
        return shares
    scale = longest / max(height, width)
    return adaptive_avg_pool2d(shares, (max(1, round(height * scale)), max(1, round(width * scale))))


def _write(path: Path, pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> None:
    with replacing(path) as partial:
        partial.write_bytes(encode(pixels))
