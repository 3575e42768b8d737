"""Items whose files were overwritten by other pictures."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pickwell.data.copies import firsts
from pickwell.data.manifest import Manifest
from pickwell.data.pool import Pool, unseen, writing
from pickwell.data.reading import stamp
from pickwell.data.scan import survey
from pickwell.data.sources.source import Entry, table

RENEWED = ["id", "width", "height", "content", "file_size", "modified"]
"""What becomes another with the picture."""


def overwritten(pool: Pool, missing: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of items that are missing those in whose places other files are now."""
    places = [(item, pool.manifest.places(item)[0]) for item in missing.tolist()]
    files = [(item, pool.sources[place.source].source.file(place.path)) for item, place in places]
    return np.array([item for item, file in files if stamp(file)], np.int64)


def renewable(pool: Pool, items: NDArray[np.int64], test: Pool | None = None) -> pa.Table:
    """The items whose pictures now can take the place of those before, by id, and what is new of them.

    Not those that are unreadable, or are in the pool already or in the `test` set.
    """
    seen = pa.concat_tables([_surveyed(pool, items, index) for index in range(len(pool.sources))]).sort_by("id")
    seen = unseen(seen, test)
    strange = pc.and_(pc.is_null(seen["reason"]), pc.is_null(pool.manifest.with_content(seen["content"])))
    seen = seen.filter(strange)
    return seen.filter(pa.array(firsts(seen))).select(RENEWED)


def renew(pool: Pool, pictures: pa.Table) -> None:
    """Takes the pictures that are `renewable`.

    Copies of those before are forgotten: what these files are now shows when they are added again.
    """
    with writing(pool.directory):
        manifest = Manifest.read(pool.manifest.path)
        manifest.copies.without(np.asarray(pictures["id"]))
        pool.manifest = manifest.altered(pictures)


def _surveyed(pool: Pool, items: NDArray[np.int64], index: int) -> pa.Table:
    """What there is to know of the pictures in the places of the items of one source."""
    own = [(item, *pool.manifest.where(item)) for item in items.tolist()]
    listing = table(Entry(path, None, row) for _, source, path, row in own if source == index)
    seen = survey(pool.sources[index].source, listing, limits=pool.limits)
    return seen.append_column("id", pa.array([item for item, source, *_ in own if source == index], pa.int64()))
