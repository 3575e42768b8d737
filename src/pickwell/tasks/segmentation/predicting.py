"""Predicts a round's picks pixel by pixel, for people to look at and to draw upon."""

import logging
import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from pickwell.acquisition.uncertainty import entropy
from pickwell.errors import PoolError
from pickwell.learner import Learner
from pickwell.learner.item_stream import Stream
from pickwell.tasks.segmentation.predictions import Predictions

logger = logging.getLogger("pickwell")

MOST = 100
"""Picks of a round that predictions are written of, the best ranks first."""

LONGEST = 512
"""Pixels of the longer side of a map of uncertainty, at most: noise packs badly, and it is only looked at."""


def predict(
    found: Predictions, number: int, picks: Sequence[int], learner: Learner, streams: Callable[[Tensor], Stream]
) -> None:
    """Writes, before the round opens, what is predicted of each pick: a label map and a map of its uncertainty.

    They are for people to look at: where they cannot be written, the round opens without them.
    """
    try:
        (found.folder / f"{number:04d}").mkdir(parents=True, exist_ok=True)
        for ids, images in streams(torch.tensor(sorted(picks[:MOST]))).batches():
            probabilities = learner.predict(images)
            guesses = probabilities.max(1).indices.byte().cpu().numpy()
            unsure = uncertainty(probabilities).mul(255).round().byte().cpu().numpy()
            for item, guess, doubt in zip(ids.tolist(), guesses, unsure, strict=True):
                found.write(number, item, guess, doubt)
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
