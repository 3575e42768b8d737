"""Which images networks can see: without those that are missing, or turn out on the way to be damaged."""

import logging
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pickwell.data.image_errors import GoneError
from pickwell.data.pool import Pool
from pickwell.features.table import FeatureTable

logger = logging.getLogger("pickwell")
Done = TypeVar("Done")


class Readable:
    """What is known so far of a campaign's images: a missing one that is back is seen again."""

    def __init__(self) -> None:
        self._damaged: dict[Path, set[int]] = defaultdict(set)
        self._told: set[str] = set()

    def of(self, pool: Pool, table: FeatureTable | None) -> NDArray[np.int64]:
        """The ids of a pool's images that can be read now, ascending.

        With a `table` of vectors in their place, all but its holes, whatever has become of the images since.
        """
        damaged = np.fromiter(self._damaged[pool.directory], np.int64)
        unseen = np.union1d(pool.missing(), damaged) if table is None else table.holes()
        return np.setdiff1d(np.arange(len(pool)), unseen, assume_unique=True)

    def without_damaged(self, work: Callable[[], Done]) -> Done:
        """What the work returns, begun anew without an image of which it finds that it is damaged."""
        while True:
            try:
                return work()
            except GoneError as gone:
                if gone.item in self._damaged[gone.pool]:
                    raise
                self._damaged[gone.pool].add(gone.item)
                self.warn(f"left out: {gone}")

    def warn(self, sentence: str) -> None:
        """Says what is left out, once."""
        if sentence and sentence not in self._told:
            self._told.add(sentence)
            logger.warning("%s", sentence)
