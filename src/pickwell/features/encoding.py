"""Looking at a pool's images, each once: decoding by threads, encoding by the encoder, writing as it goes."""

from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pickwell.data.pool import Pool
from pickwell.data.threads import in_order, workers
from pickwell.encoders.encoder import Encoder, checked
from pickwell.features.table import FeatureTable
from pickwell.progress import Progress

BATCH = 32
"""Images that are encoded at once."""
AHEAD = 3
"""Batches that are decoded ahead: with the one that is encoded they bound the memory."""


def encoded(
    pool: Pool, encoder: Encoder, folder: Path, *, progress: Progress | None = None, threads: int | None = None
) -> FeatureTable:
    """The whole pool's table below `folder`: found, taken up where a killed process left it, or made now.

    Each encoder has its own, named by it and by all that can change a vector. In memory are `AHEAD` + 1 batches of
    images, and one image at full size a thread. Raises PoolError for an image that can be read no more; what is encoded
    by then stays.
    """
    table = FeatureTable(folder / name_of(encoder), encoder.length)
    if len(table) < len(pool):
        with table.appending() as append, workers(threads) as executor:
            first = len(table)  # under the lock: another process may have gone on meanwhile

            def begin(start: int) -> list[Future[NDArray[Any]]]:
                items = range(start, min(start + BATCH, len(pool)))
                return [executor.submit(_looked_at, pool, encoder, item) for item in items]

            done = first
            for futures in in_order(begin, range(first, len(pool), BATCH), AHEAD):
                found = np.stack([future.result() for future in futures])
                append(checked(encoder, found if encoder.together == 1 else encoder.vectors(found)))
                done += len(futures)
                if progress:
                    progress("encoding", done - first, len(pool) - first)
    return table


def name_of(encoder: Encoder) -> str:
    """The name of the folder of an encoder's tables."""
    letters = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in encoder.name)
    return f"{letters[-40:].strip('.')}-{encoder.identity[:16]}"


def _looked_at(pool: Pool, encoder: Encoder, item: int) -> NDArray[Any]:
    """An image prepared or, where threads look at one each, its vector."""
    prepared = encoder.prepare(pool.pixels(item, encoder.least))
    return encoder.vectors(prepared[None])[0] if encoder.together == 1 else prepared
