"""The two small files beside a manifest: sources.json and set_aside.parquet."""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pickwell.data.grey_levels import EACH, Greys, guessed
from pickwell.data.opening import Limits
from pickwell.data.sources import FolderTree, Source, restore
from pickwell.errors import PoolError, VersionError
from pickwell.files import replacing

VERSION = 1
SET_ASIDE = pa.schema([("source", pa.int32()), ("name", pa.string()), ("reason", pa.string()), ("detail", pa.string())])


class Placed(NamedTuple):
    """A source of the pool, what its items' names are prefixed with, and the range of its greys of more than 8 bits.

    That is None until there are such greys.
    """

    source: Source
    prefix: str = ""
    greys: Greys | None = None

    def showing(self, seen: pa.Table, asked: Greys | None) -> "Placed":
        """The same with a range for greys: what was `asked` for, or what suits the images that were seen first."""
        found = seen.filter(pc.is_valid(seen["low"])).select(("low", "high")).to_pylist()
        if asked and self.greys not in (None, asked):
            raise PoolError(
                f"the greys of '{self.source.place}' are shown from {self.greys}, not {asked}, since its first images "
                "were; leave --greys out, or begin another campaign"
            )
        if self.greys is not None or not (asked or found):
            return self
        return self._replace(greys=asked or guessed(Greys(**one) for one in found))

    def shares(self, other: "Placed") -> bool:
        """Whether one of the two is a folder that holds the other, so that both may list the same files."""
        if not (isinstance(self.source, FolderTree) and isinstance(other.source, FolderTree)):
            return False
        mine, others = self.source.root, other.source.root
        return mine.is_relative_to(others) or others.is_relative_to(mine)

    def files(self, names: pa.ChunkedArray) -> pa.ChunkedArray:
        """The absolute paths of a folder's images, by their names in the pool."""
        assert isinstance(self.source, FolderTree)
        paths = pc.utf8_slice_codeunits(names, start=len(self.prefix))
        return pc.binary_join_element_wise(self.source.root.as_posix().rstrip("/"), paths, "/")


def sharing(sources: Sequence[Placed], index: int) -> list[int]:
    """The other sources that may list the same files as the one at `index`."""
    return [at for at, other in enumerate(sources) if at != index and other.shares(sources[index])]


def write_sources(path: Path, sources: Sequence[Placed], limits: Limits, home: Path | None = None) -> None:
    """Keeps the pool's sources, in the order that the manifest counts them, and its limits.

    `home` is where the pool will be, if not where it is written: seen from there, places are found when all has moved.
    """
    records = [_record(source) | {"prefix": prefix, "greys": greys} for source, prefix, greys in sources]
    home = (home or path.parent).absolute()
    stored = {"version": VERSION, "limits": asdict(limits), "home": str(home), "sources": records}
    with replacing(path) as new:
        new.write_text(json.dumps(stored, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_sources(path: Path) -> tuple[list[Placed], Limits]:
    """The pool's sources and limits; PoolError if the file is missing or damaged.

    What is no longer where it was is looked for from where the pool is now: the two may have moved together.
    """
    try:
        stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if stored["version"] > VERSION:
            raise VersionError(f"{path} has version {stored['version']}, not {VERSION}; install a newer pickwell")
        home = Path(stored.get("home", path.parent))
        records = [_each_path(r, partial(_brought, before=home, now=path.parent.absolute())) for r in stored["sources"]]
        return [_placed(record) for record in records], Limits(**stored["limits"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PoolError(
            f"{path} is missing or damaged ({type(error).__name__}: {error}); put it back from a copy, "
            "or make the pool again"
        ) from error


def _each_path(record: Any, change: Callable[[Path], Path]) -> Any:
    """A source's record with its absolute paths changed."""
    if isinstance(record, dict):
        return {key: _each_path(value, change) for key, value in record.items()}
    return str(change(Path(record))) if isinstance(record, str) and Path(record).is_absolute() else record


def _brought(place: Path, before: Path, now: Path) -> Path:
    """Where the place is, seen from a pool that was elsewhere `before`; as it was if it is still there, or nowhere."""
    moved = Path(os.path.normpath(now / os.path.relpath(place, before)))
    return moved if before != now and not place.exists() and moved.exists() else place


def relocated(sources: Sequence[Placed], old: Path, new: Path) -> list[Placed]:
    """The sources with all that is in the folder `old`, or is it, in the folder `new` instead."""

    def change(place: Path) -> Path:
        return new / place.relative_to(old) if place.is_relative_to(old) else place

    return [one._replace(source=restore(_each_path(_record(one.source), change))) for one in sources]


def _record(source: Source) -> dict[str, Any]:
    return {"kind": source.kind, **source.record()}


def _placed(record: dict[str, Any]) -> Placed:
    greys = record.get("greys", EACH)  # pools of older versions show each image by its own range
    return Placed(restore(record), record["prefix"], Greys(*greys) if greys else None)


def read_set_aside(path: Path) -> pa.Table:
    """The images set aside so far, by the SET_ASIDE schema."""
    try:
        return pq.read_table(path, schema=SET_ASIDE)
    except FileNotFoundError:
        return SET_ASIDE.empty_table()
    except (OSError, pa.ArrowInvalid) as error:
        raise PoolError(f"{path} is damaged: {error}; remove it, then repeat `pickwell add`") from error


def write_set_aside(path: Path, sources: Sequence[Placed], source: int, listed: Source, seen: pa.Table) -> None:
    """Replaces what is known of a source's images where they were `listed` again: in all of it, or in a part."""
    old = read_set_aside(path)
    under = listed.under if isinstance(listed, FolderTree) else ""
    part = sources[source].prefix + ("" if under in ("", ".") else under + "/")
    again = pc.and_(pc.equal(old["source"], source), pc.starts_with(old["name"], part))
    for other in sharing(sources, source):
        same = pc.is_in(sources[other].files(old["name"]), value_set=sources[source].files(seen["name"]))
        again = pc.or_(again, pc.and_(pc.equal(old["source"], other), same))
    bad = seen.filter(pc.is_valid(seen["reason"]))
    bad = bad.append_column("source", pa.repeat(pa.scalar(source, pa.int32()), len(bad))).select(SET_ASIDE.names)
    with replacing(path) as new:
        pq.write_table(pa.concat_tables([old.filter(pc.invert(again)), bad]), new)
