"""The two small files beside a manifest: sources.json and set_aside.parquet."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pickwell.data.opening import Limits
from pickwell.data.sources import FolderTree, Source, restore
from pickwell.errors import PoolError, VersionError
from pickwell.files import replacing

VERSION = 1
SET_ASIDE = pa.schema([("source", pa.int32()), ("name", pa.string()), ("reason", pa.string()), ("detail", pa.string())])


class Placed(NamedTuple):
    """A source of the pool, and what its items' names are prefixed with."""

    source: Source
    prefix: str = ""

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


def write_sources(path: Path, sources: Sequence[Placed], limits: Limits) -> None:
    """Keeps the pool's sources, in the order that the manifest counts them, and its limits."""
    records = [{"kind": s.kind, **s.record(), "prefix": prefix} for s, prefix in sources]
    stored = {"version": VERSION, "limits": asdict(limits), "sources": records}
    with replacing(path) as new:
        new.write_text(json.dumps(stored, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_sources(path: Path) -> tuple[list[Placed], Limits]:
    """The pool's sources and limits; PoolError if the file is missing or damaged."""
    try:
        stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if stored["version"] > VERSION:
            raise VersionError(f"{path} has version {stored['version']}, not {VERSION}; install a newer pickwell")
        return [Placed(restore(r), r["prefix"]) for r in stored["sources"]], Limits(**stored["limits"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PoolError(
            f"{path} is missing or damaged ({type(error).__name__}: {error}); put it back from a copy, "
            "or make the pool again"
        ) from error


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
