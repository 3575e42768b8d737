"""Looking at every image of a listing once: which can be read, how large are they, and what is wrong with the rest."""

from concurrent.futures import Future
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pickwell.data.copies import CONTENT, content_of
from pickwell.data.decode import examine
from pickwell.data.image_errors import ImageError
from pickwell.data.opening import LIMITS, Limits
from pickwell.data.reading import stamp
from pickwell.data.sources import MaskedFolder, Source
from pickwell.data.sources.source import packed
from pickwell.data.threads import in_order, workers
from pickwell.labels import IGNORE_INDEX
from pickwell.progress import Progress
from pickwell.tasks.segmentation.label_maps import counted

SEEN = pa.schema(
    [
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("content", CONTENT),
        ("file_size", pa.int64()),
        ("modified", pa.int64()),
        ("frames", pa.int32()),
        ("damage", pa.string()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("shown", pa.list_(pa.uint8())),
        ("void", pa.int64()),
        ("reason", pa.string()),
        ("detail", pa.string()),
    ]
)
"""What is found out of each image: its size and what tells it from others, or else the reason to set it aside.

`low` and `high` are the range of greys of more than 8 bits, `shown` the classes in the mask, `void` its void pixels.
"""

# So few that a chunk of photographs takes well under a second, so many that handing over small ones costs little.
CHUNK = 32


class Surveyed(NamedTuple):
    """One row of SEEN."""

    width: int | None = None
    height: int | None = None
    content: bytes | None = None
    file_size: int | None = None
    modified: int | None = None
    frames: int | None = None
    damage: str | None = None
    low: float | None = None
    high: float | None = None
    shown: list[int] | None = None
    void: int | None = None
    reason: str | None = None
    detail: str | None = None


def survey(
    source: Source,
    listing: pa.Table,
    *,
    limits: Limits = LIMITS,
    threads: int | None = None,
    progress: Progress | None = None,
) -> pa.Table:
    """The listing with width, height, reason and detail of each image; in memory is one image a thread."""
    batches: list[pa.RecordBatch] = []
    done = bad = 0
    chunks = (listing.slice(start, CHUNK) for start in range(0, len(listing), CHUNK))
    with workers(threads) as pool:

        def begin(chunk: pa.Table) -> Future[pa.RecordBatch]:
            return pool.submit(_look, source, chunk, limits)

        for future in in_order(begin, chunks, ahead=64):
            batches.append(future.result())
            done += len(batches[-1])
            bad += len(batches[-1]) - batches[-1].column("reason").null_count
            if progress:
                progress("reading" + (f", {bad} set aside" if bad else ""), done, len(listing))
    seen = pa.Table.from_batches(batches, schema=SEEN).combine_chunks()
    listed = [name for name in ("name", "path", "row", "known", "group") if name in listing.column_names]
    return pa.table({**{name: listing[name] for name in listed}, **{name: seen[name] for name in SEEN.names}})


def _look(source: Source, chunk: pa.Table, limits: Limits) -> pa.RecordBatch:
    columns = (pc.coalesce(chunk["path"], chunk["name"]), chunk["row"], chunk["known"], chunk["reason"])
    wanted = zip(*(column.to_pylist() for column in columns), strict=True)
    return packed([_one(source, limits, *row) for row in wanted], SEEN)


def _one(source: Source, limits: Limits, path: str, row: int | None, known: str | None, reason: str | None) -> Surveyed:
    """What there is to know of one image; a mask that does not fit sets it aside, too."""
    if reason is not None:
        return Surveyed(reason=reason, detail="")
    try:
        # Before it is read: what is written meanwhile looks changed.
        found = stamp(source.file(path))
        data = source.read(path, row, limits.bytes)
        size, frames, damage, greys = examine(data, limits)
        # Read now, so that a mask that does not fit is known before anything is learnt.
        mask: dict[str, Any] = {}
        if known is not None and isinstance(source, MaskedFolder):
            pixels = counted(source.masks.read(known, size))
            mask = {"shown": np.flatnonzero(pixels[:IGNORE_INDEX]).tolist(), "void": int(pixels[IGNORE_INDEX])}
        low, high = greys or (None, None)
        file_size, modified = found or (None, None)
        shown = {"frames": frames, "damage": damage or None, "low": low, "high": high, **mask}
        return Surveyed(*size, content_of(data), file_size, modified, **shown)
    except ImageError as error:
        return Surveyed(reason=str(error.reason), detail=error.detail)
