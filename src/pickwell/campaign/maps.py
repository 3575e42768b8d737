"""The map of a round: the pool on the plane of the strategy's latents, `rounds/0003.latents.npz`."""

import logging
from pathlib import Path

import numpy as np

from pickwell.acquisition.projection import Projection
from pickwell.data.files import replacing
from pickwell.errors import PoolError

logger = logging.getLogger("pickwell")


def write_map(folder: Path, number: int, found: Projection) -> None:
    """Writes a round's map before the round opens; where it cannot be written, the round opens without one."""
    try:
        folder.mkdir(exist_ok=True)
        # Through a handle: to the temporary name numpy would add `.npz`.
        with replacing(folder / f"{number:04d}.latents.npz") as path, path.open("wb") as file:
            np.savez(file, items=found.items, points=found.points, scores=found.scores, labelled=found.labelled)
    except (OSError, PoolError) as error:
        logger.warning("round %d has no map: %s", number, error)
