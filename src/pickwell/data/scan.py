"""Looking at every image of a listing once: which can be read, how large are they, and what is wrong with the rest."""

from concurrent.futures import Future

import pyarrow as pa
import pyarrow.compute as pc

from pickwell.data.decode import examine
from pickwell.data.image_errors import ImageError
from pickwell.data.opening import LIMITS, Limits
from pickwell.data.sources import MaskedFolder, Source
from pickwell.data.sources.source import packed
from pickwell.data.threads import in_order, workers
from pickwell.progress import Progress

SEEN = pa.schema([("width", pa.int32()), ("height", pa.int32()), ("reason", pa.string()), ("detail", pa.string())])
"""What is found out of each image: its size, or else the reason to set it aside."""

# So few that a chunk of photographs takes well under a second, so many that handing over small ones costs little.
CHUNK = 32
Surveyed = tuple[int | None, int | None, str | None, str | None]


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
    return pa.table({**{n: listing[n] for n in ("name", "path", "row", "known")}, **{n: seen[n] for n in SEEN.names}})


def _look(source: Source, chunk: pa.Table, limits: Limits) -> pa.RecordBatch:
    columns = (pc.coalesce(chunk["path"], chunk["name"]), chunk["row"], chunk["known"], chunk["reason"])
    wanted = zip(*(column.to_pylist() for column in columns), strict=True)
    return packed([_one(source, limits, *row) for row in wanted], SEEN)


def _one(source: Source, limits: Limits, path: str, row: int | None, known: str | None, reason: str | None) -> Surveyed:
    """Size, or reason and detail, of one image: a mask that does not fit sets it aside, too."""
    if reason is not None:
        return None, None, reason, ""
    try:
        size = examine(source.read(path, row, limits.bytes), limits).size
        # Read now, so that a mask that does not fit is known before anything is learnt.
        if known is not None and isinstance(source, MaskedFolder):
            source.masks.read(known, size)
        return *size, None, None
    except ImageError as error:
        return None, None, str(error.reason), error.detail
