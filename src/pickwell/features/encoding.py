"""Looking at a pool's images, each once: decoding by threads, encoding, writing as it goes."""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pickwell import encoders
from pickwell.data.image_errors import GoneError
from pickwell.data.pool import Pool
from pickwell.data.threads import in_order, workers
from pickwell.encoders import Encoder
from pickwell.encoders.features import FeatureFile
from pickwell.errors import EncoderError
from pickwell.features.table import FeatureTable, Rows
from pickwell.progress import Progress

BATCH = 64
"""Images that are encoded at once."""
AHEAD = 2
"""Batches that are decoded ahead: with the one that is encoded they bound the memory."""
FILE = "features:"
"""How the name of a file of vectors begins, which stands for an encoder."""
NAMING = "name its rows as `pickwell export` names the images, relative to their folder"


def named(name: str) -> Encoder | FeatureFile:
    """The encoder of that name, or the file of vectors. Raises SettingsError, EncoderError, PoolError."""
    return FeatureFile(name.removeprefix(FILE)) if name.startswith(FILE) else encoders.load(name)


def placed(name: str) -> str:
    """The encoder's name with the path of its file, where it names one, made absolute."""
    source, colon, rest = name.partition(":")
    path = Path(rest).expanduser()
    return f"{source}:{path.absolute()}" if colon and path.exists() else name


def encoded(
    pool: Pool, encoder: Encoder | FeatureFile, folder: Path, *, progress: Progress | None = None
) -> FeatureTable:
    """The whole pool's table below `folder`: found, taken up where a killed process left it, or made now.

    Each encoder has its own, named by it and by all that can change a vector. In memory are `AHEAD` + 1 batches of
    images, and one image at full size a thread. An image that can be read no more is a hole of the table, and filled
    once it can. Raises EncoderError for one that a file of vectors lacks; what is encoded by then stays.
    """
    table = table_of(encoder, folder)
    if len(table) < len(pool):
        with table.appending() as append:
            first = len(table)  # under the lock: another process may have gone on meanwhile
            done, starts = first, range(first, len(pool), BATCH)
            of = _looked_up(pool, encoder, starts) if isinstance(encoder, FeatureFile) else _seen(pool, encoder, starts)
            for rows in of:
                if len(holes := np.flatnonzero(np.isnan(rows[:, 0]))):
                    table.mark(np.union1d(table.holes(), done + holes))
                append(rows)
                done += len(rows)
                if progress:
                    progress("encoding", done - first, len(pool) - first)
    if len(table.holes()) and not isinstance(encoder, FeatureFile):
        _fill(table, pool, encoder)
    return table


def table_of(encoder: Encoder | FeatureFile, folder: Path) -> FeatureTable:
    """The encoder's own table below `folder`, as far as it is written."""
    return FeatureTable(folder / name_of(encoder), encoder.length)


def name_of(encoder: Encoder | FeatureFile) -> str:
    """The name of the folder of an encoder's tables."""
    letters = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in encoder.name)
    return f"{letters[-40:].strip('.')}-{encoder.identity[:16]}"


def _fill(table: FeatureTable, pool: Pool, encoder: Encoder) -> None:
    """Encodes the images of holes that can be read by now."""
    with table.appending():  # for its lock
        holes = table.holes()
        for item in np.setdiff1d(holes, pool.missing(holes)):
            if (pixels := _prepared(pool, encoder, int(item))) is not None:
                table.fill(int(item), _vectors(pool, encoder, {int(item): pixels})[0])


def _seen(pool: Pool, encoder: Encoder, starts: Iterable[int]) -> Iterator[Rows]:
    """What the encoder makes of the pool's images, a batch at a time; NaN of those that can be read no more."""
    with workers(None) as executor:

        def begin(start: int) -> tuple[int, list[Future[NDArray[Any] | None]]]:
            items = range(start, min(start + BATCH, len(pool)))
            return start, [executor.submit(_prepared, pool, encoder, item) for item in items]

        for start, futures in in_order(begin, starts, AHEAD):
            done = enumerate((future.result() for future in futures), start)
            prepared = {item: pixels for item, pixels in done if pixels is not None}
            rows = np.full((len(futures), encoder.length), np.nan, np.float32)
            if prepared:
                rows[np.array([*prepared]) - start] = _vectors(pool, encoder, prepared)
            yield rows


def _prepared(pool: Pool, encoder: Encoder, item: int) -> NDArray[Any] | None:
    try:
        return encoder.prepare(pool.pixels(item, encoder.least))
    except GoneError:
        return None


def _vectors(pool: Pool, encoder: Encoder, prepared: Mapping[int, NDArray[Any]]) -> Rows:
    """The vectors of prepared images by item; EncoderError names the image that cannot have one."""
    try:
        return encoder.vectors(np.stack(list(prepared.values())))
    except EncoderError as error:
        if not isinstance(place := error.facts.get("image"), int):
            raise
        raise EncoderError(f"{pool.item(list(prepared)[place]).name}: {error}") from None


def _looked_up(pool: Pool, file: FeatureFile, starts: Iterable[int]) -> Iterator[Rows]:
    """What the file has of the pool's images; EncoderError where it lacks one."""
    for start in starts:
        names = [pool.item(item).name for item in range(start, min(start + BATCH, len(pool)))]
        rows, missing = file.vectors_of(names)
        if missing:
            raise EncoderError(f"{file.disagreement(pool.manifest.names())}; {NAMING}, and give each image a vector")
        yield rows
