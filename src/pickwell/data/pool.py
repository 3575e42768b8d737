"""The pool: a folder with manifest.parquet, set_aside.parquet and sources.json; the images stay where they are."""

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import ArrayLike, NDArray

from pickwell.data.copies import content_of
from pickwell.data.decode import decode, square, view
from pickwell.data.grey_levels import EACH, Greys
from pickwell.data.grouping import grouped
from pickwell.data.image_errors import GoneError, ImageError, Reason
from pickwell.data.manifest import Manifest, first_of_each
from pickwell.data.mask_files import MaskFiles
from pickwell.data.opening import LIMITS, Limits
from pickwell.data.records import (
    Placed,
    read_set_aside,
    read_sources,
    relocated,
    sharing,
    write_set_aside,
    write_sources,
)
from pickwell.data.scan import survey
from pickwell.data.sources import FolderTree, MaskedFolder, Source, find, same
from pickwell.data.summary import Summary, counted, reasons, summary_of
from pickwell.data.there import lost_and_touched
from pickwell.errors import BusyError, LabelError, PoolError, few
from pickwell.files import locked
from pickwell.items import Item, ItemId
from pickwell.progress import Progress
from pickwell.tasks.segmentation.label_maps import Mask

Lacking = Callable[[Sequence[str]], Collection[str]]
"""Which of some images, by name, have no vector; it may refuse them."""
Bytes = bytes  # the pool has a method of this name
MANIFEST, SOURCES, ASIDE, LOCK = "manifest.parquet", "sources.json", "set_aside.parquet", "pool.lock"


class Pool:
    """An opened pool. `summary` is what the last `create` or `add` of this object came to."""

    def __init__(self, directory: Path, manifest: Manifest, sources: list[Placed], limits: Limits) -> None:
        self.directory = directory
        self.manifest = manifest
        self.sources = sources
        self.limits = limits
        self.summary: Summary | None = None

    @classmethod
    def create(
        cls,
        directory: str | Path,
        where: str | Path,
        *,
        labels_from_folders: bool = False,
        masks: MaskFiles | None = None,
        lacking: Lacking | None = None,
        exclude: Sequence[str] = (),
        follow_links: bool = True,
        test: "Pool | None" = None,
        group: str = "",
        apart: bool = False,
        home: Path | None = None,
        greys: Greys | None = None,
        limits: Limits = LIMITS,
        threads: int | None = None,
        progress: Progress | None = None,
    ) -> "Pool":
        """Makes a pool in `directory` of the images at `where`; PoolError if it has one, or none can be read.

        What the patterns `exclude` is set aside, now and whenever the folder is added again, so are links out of the
        folder unless told to `follow_links`, and so is what is `lacking` a vector, where vectors were made elsewhere,
        and what is in the `test` set. Files of the same bytes are one image, unless each is to stay `apart`, as
        official sets count them. What is alike in `group`, "folder" or a column of a table, belongs together: all of
        it is set aside where some of it is in the test set. `home` is where the directory will be, if it is to be moved
        there. Greys of more than 8 bits are shown by the range `greys`, or by one that suits them all.
        """
        directory = Path(directory)
        source = find(where, labels_from_folders, masks, exclude, follow_links)
        directory.mkdir(parents=True, exist_ok=True)
        with writing(directory):
            if (directory / MANIFEST).exists():
                raise PoolError(f"{directory} holds a pool already; add to it with `pickwell add`, or name another one")
            listing = grouped(_without_vector(_listed(source, where), lacking), source, group)
            seen = unseen(survey(source, listing, limits=limits, threads=threads, progress=progress), test)
            _check_class_list(seen)
            if not seen["reason"].null_count:
                said = next(iter(seen.slice(0, 1).to_pylist()), None)
                first = f"; {said['name']}: {said['detail'] or said['reason']}" if said else ""
                raise PoolError(f"no image to use at '{where}': {counted(reasons(seen))}{first}; name another place")
            sources = [Placed(source).showing(seen, greys)]
            write_sources(directory / SOURCES, sources, limits, home)
            write_set_aside(directory / ASIDE, sources, 0, source, seen)
            # Last, because it is what makes the folder a pool.
            rows = _rows(seen, 0)
            rows = rows.drop_columns(["content"]) if apart else rows
            pool = cls(directory, Manifest.write(directory / MANIFEST, rows), sources, limits)
        pool.summary = summary_of(pool, seen, source, pool.sources[0].greys, already=0, before=0)
        return pool

    @classmethod
    def open(cls, directory: str | Path) -> "Pool":
        """Opens the pool in `directory`; touches no image."""
        manifest = Manifest.read(Path(directory) / MANIFEST)
        return cls(Path(directory), manifest, *read_sources(Path(directory) / SOURCES))

    def add(
        self,
        where: str | Path,
        *,
        labels_from_folders: bool = False,
        masks: MaskFiles | None = None,
        lacking: Lacking | None = None,
        exclude: Sequence[str] = (),
        follow_links: bool = True,
        test: "Pool | None" = None,
        group: str = "",
        greys: Greys | None = None,
        threads: int | None = None,
        progress: Progress | None = None,
    ) -> Summary:
        """Appends the images at `where` whose names are new; those set aside before are tried again.

        A source that is in the pool already keeps its settings, and leaves out what the patterns `exclude`, too. Where
        another source has images of the same names, the new one's are prefixed with its folder's or file's name. Of
        folders within each other, each file is one image, under the name that it got first. Copies and images of the
        `test` set are as in `create`.
        """
        with writing(self.directory):
            # Read again under the lock: another process may have added images since this one opened the pool.
            manifest = Manifest.read(self.directory / MANIFEST)
            sources, _ = read_sources(self.directory / SOURCES)
            found = find(where, labels_from_folders, masks, exclude, follow_links)
            source, index, listing = _join(found, where, sources, manifest)
            listing = grouped(listing, source, group)
            present = _present(listing, index, sources, manifest)
            new = _without_vector(_foreign(listing.filter(pc.invert(present)), manifest), lacking)
            seen = unseen(survey(source, new, limits=self.limits, threads=threads, progress=progress), test)
            sources[index] = sources[index].showing(seen, greys)
            write_sources(self.directory / SOURCES, sources, self.limits)
            write_set_aside(self.directory / ASIDE, sources, index, source, seen)
            # The manifest last: its rows name sources, which a kill must not leave unwritten.
            self.manifest, self.sources = manifest.append(_rows(seen, index)), sources
        greys = self.sources[index].greys
        taken = {"already": len(listing) - len(new), "before": len(manifest)}
        self.summary = summary_of(self, seen, source, greys, **taken)
        return self.summary

    def allow(self, classes: int) -> None:
        """Lets the masks that images come with have so many classes from now on."""
        with writing(self.directory):
            placed, limits = read_sources(self.directory / SOURCES)
            sources = [one._replace(source=_allowing(one.source, classes)) for one in placed]
            if any(isinstance(one.source, MaskedFolder) for one in sources):
                write_sources(self.directory / SOURCES, sources, limits)
                self.sources = sources

    def relocate(self, old: Path, new: Path) -> int:
        """Looks in the folder `new` for what was in `old`, from now on; returns how many files of the pool are there.

        PoolError, and all stays as it is, where none of them is. 0 where nothing of the pool was in `old`.
        """
        with writing(self.directory):
            before, _ = read_sources(self.directory / SOURCES)
            sources = relocated(before, old, new)
            moved = [at for at, one in enumerate(sources) if one.source.record() != before[at].source.record()]
            found = sum(_count(sources[at], self.manifest.names_of(at)) for at in moved)
            if moved and not found:
                raise PoolError(f"none of the pool's images of {old} is at {new}; name the folder that holds them now")
            if moved:
                write_sources(self.directory / SOURCES, sources, self.limits)
                self.sources = sources
        return found

    def __len__(self) -> int:
        return len(self.manifest)

    def item(self, item: ItemId) -> Item:
        """The item's name and known label."""
        return self.manifest.item(item)

    def find(self, names: Sequence[str]) -> list[ItemId]:
        """The items of these names; PoolError for a name that no image has."""
        items: list[ItemId] = self.manifest.find_all(names).tolist()
        if lost := [name for name, item in zip(names, items, strict=True) if item < 0]:
            raise PoolError(f"no image is named {few(lost)}; names are as `pickwell export` writes them")
        return items

    def bytes(self, item: ItemId) -> bytes:
        """The image as it is stored, in whatever format that is; PoolError if it is in none of its places any more."""
        gone: ImageError | None = None
        for _, source, path, row in self.manifest.places(item):
            try:
                data = self.sources[source].source.read(path, row, self.limits.bytes)
                if self.manifest.content(item) not in (None, content_of(data)):
                    raise ImageError(Reason.CHANGED)
                return data
            except ImageError as error:
                gone = gone or error
        raise self._gone(item, gone) from gone

    def greys(self, item: ItemId) -> Greys:
        """The range by which the item is shown, if it is grey of more than 8 bits."""
        return self.sources[self.manifest.where(item)[0]].greys or EACH

    def show_greys(self, greys: Greys, home: Path | None = None) -> None:
        """Shows the first source's greys of more than 8 bits by another range, from now on; `home` as in `create`."""
        self.sources[0] = self.sources[0]._replace(greys=greys)
        write_sources(self.directory / SOURCES, self.sources, self.limits, home)
        if self.summary:
            self.summary = replace(self.summary, greys=greys)

    def pixels(self, item: ItemId, least: int | None = None) -> NDArray[np.uint8]:
        """The image `(H, W, 3)`, upright RGB, perhaps shrunk, with no side below `least`; PoolError if it is gone."""
        return self._decoded(item, lambda data: decode(data, least, self.limits, self.greys(item)))

    def view(self, item: ItemId, size: int) -> NDArray[np.uint8]:
        """The image as a network sees it: `(3, size, size)`, upright RGB; PoolError if it can be read no more."""
        return self._decoded(item, lambda data: view(data, size, self.limits, self.greys(item)))

    def square(self, item: ItemId, size: int) -> NDArray[np.uint8]:
        """The whole image resized into `(3, size, size)`, upright RGB; PoolError if it can be read no more."""
        return self._decoded(item, lambda data: square(data, size, self.limits, self.greys(item)))

    def scene(self, item: ItemId) -> NDArray[np.uint8]:
        """The image at its own size, `(H, W, 3)`, upright RGB; PoolError if it can be read no more, or has changed."""
        pixels = self._decoded(item, lambda data: decode(data, None, self.limits, self.greys(item)))
        (width, height), (now_height, now_width, _) = self.manifest.sizes([item])[0].tolist(), pixels.shape
        if (now_width, now_height) != (width, height):
            raise self._gone(item, f"it was {width} x {height} pixels and now is {now_width} x {now_height}")
        return pixels

    def mask(self, item: ItemId) -> Mask:
        """The item's known mask, uint8 `(H, W)`: class indices, 255 where it is void. LabelError if there is none."""
        known, source = self.item(item), self.sources[self.manifest.where(item)[0]].source
        if known.known is None or not isinstance(source, MaskedFolder):
            raise LabelError(f"the image '{known.name}' (item {item}) has no known mask; tell one")
        width, height = self.manifest.sizes([item])[0].tolist()
        try:
            return source.masks.read(known.known, (width, height))
        except ImageError as error:
            raise PoolError(
                f"the mask of '{known.name}' (item {item}) can no longer be used: {error}; put it back as it was, "
                f"or correct the place of the masks in {self.directory / SOURCES}"
            ) from error

    def missing(self, items: ArrayLike | None = None) -> NDArray[np.int64]:
        """Those of the items, ascending, or of all, whose pictures are not there now: gone, or overwritten."""
        looked_for = np.arange(len(self)) if items is None else np.asarray(items, np.int64)
        sources = [placed.source for placed in self.sources]
        lost, touched = lost_and_touched(self.manifest, sources, looked_for, self.limits.bytes)
        if touched:
            columns = zip(*((item, *now) for item, now in touched.items()), strict=True)
            # Or they would be read every time; where the pool cannot be written, that does no harm.
            with suppress(BusyError, OSError), writing(self.directory):
                now = pa.table(dict(zip(("id", "file_size", "modified"), map(list, columns), strict=True)))
                self.manifest = Manifest.read(self.manifest.path).altered(now)
        return np.array(lost, np.int64)

    def set_aside(self) -> list[tuple[str, str, str]]:
        """Name, reason and detail of every image that is not in the pool because it could not be read."""
        aside = read_set_aside(self.directory / ASIDE)
        return list(zip(*(aside[c].to_pylist() for c in ("name", "reason", "detail")), strict=True))

    def _decoded(self, item: ItemId, how: Callable[[Bytes], NDArray[np.uint8]]) -> NDArray[np.uint8]:
        try:
            return how(self.bytes(item))
        except ImageError as error:
            raise self._gone(item, error) from error

    def _gone(self, item: ItemId, error: object) -> GoneError:
        place = self.sources[self.manifest.where(item)[0]].source.place
        said = (
            f"the image '{self.item(item).name}' (item {item}) can no longer be read: {error}; put it back as it was, "
            f"or say where its folder is now: pickwell relocate {self.directory.parent} {place} NEW"
        )
        return GoneError(said, self.directory, item)


def _allowing(source: Source, classes: int) -> Source:
    if not isinstance(source, MaskedFolder):
        return source
    return replace(source, masks=replace(source.masks, classes=classes))


def writing(directory: Path) -> AbstractContextManager[None]:
    """Keeps every other process from writing the pool in `directory` during the block; BusyError if one does."""
    busy = f"another process is adding images to the pool in {directory}; wait until it has ended, then repeat"
    return locked(directory / LOCK, busy)


def _listed(source: Source, where: str | Path) -> pa.Table:
    """What the source lists; a name's second and later rows are marked as listed twice."""
    listing = source.listing()
    if not len(listing):
        raise PoolError(f"no image at '{where}': nothing there is an image of a kind that is read; name another place")
    return _marked(listing, pc.invert(first_of_each(listing["name"])))


def _without_vector(listing: pa.Table, lacking: Lacking | None) -> pa.Table:
    """Marks the rows that are lacking a vector."""
    if lacking is None:
        return listing
    # What is set aside anyway need have none.
    names = pa.array(lacking(listing.filter(pc.is_null(listing["reason"]))["name"].to_pylist()), pa.string())
    return _marked(listing, pc.is_in(listing["name"], value_set=names), Reason.NO_VECTOR)


def _marked(listing: pa.Table, which: pa.Array, reason: Reason = Reason.TWICE) -> pa.Table:
    marks = pc.coalesce(listing["reason"], pc.if_else(which, str(reason), None))
    return listing.set_column(listing.schema.get_field_index("reason"), "reason", marks.cast(pa.string()))


def _join(found: Source, where: str | Path, sources: list[Placed], manifest: Manifest) -> tuple[Source, int, pa.Table]:
    """The source, its index in `sources` (where it is put if new), and its listing under the names of this pool."""
    for index, (old, prefix, _) in enumerate(sources):
        if source := same(found, old):
            if isinstance(found, FolderTree) and isinstance(old, FolderTree):
                sources[index] = sources[index]._replace(source=old.without(found.exclude, follow=found.follow))
            return source, index, _prefixed(_listed(source, where), prefix)
    listing, prefix, tries = _listed(found, where), "", 0
    while pc.any(pc.is_in(_prefixed(listing, prefix)["name"], value_set=manifest.names_of())).as_py():
        tries += 1
        prefix = Path(found.place).stem + (f"-{tries}" if tries > 1 else "") + "/"
    sources.append(Placed(found, prefix))
    return found, len(sources) - 1, _prefixed(listing, prefix)


def _prefixed(listing: pa.Table, prefix: str) -> pa.Table:
    if not prefix:
        return listing
    names, paths = listing["name"], pc.coalesce(listing["path"], listing["name"])
    longer = pc.binary_join_element_wise(prefix, names, "")
    return listing.set_column(0, "name", longer).set_column(1, "path", paths)


def _count(placed: Placed, names: pa.ChunkedArray) -> int:
    """How many of these names a source lists now."""
    listed = _prefixed(placed.source.listing(), placed.prefix)["name"]
    return int(pc.sum(pc.is_in(names, value_set=listed)).as_py() or 0)


def _present(listing: pa.Table, index: int, sources: list[Placed], manifest: Manifest) -> pa.ChunkedArray:
    """True for one source's images that are in the pool; PoolError if it knows of labels that they have not there."""
    # Names of this source alone: those that another source has are no reason to pass an image over in silence.
    present = pc.is_in(listing["name"], value_set=manifest.names_of(index))
    for other in sharing(sources, index):
        ours, theirs = sources[index].files(listing["name"]), sources[other].files(manifest.names_of(other))
        shared = pc.is_in(ours, value_set=theirs)
        _check_known(pc.and_(shared, pc.is_valid(listing["known"])), ours, sources[other], other, manifest)
        present = pc.or_(present, shared)
    return present


def _check_known(known: pa.ChunkedArray, files: pa.ChunkedArray, inner: Placed, index: int, manifest: Manifest) -> None:
    """Refuses labels that would be passed over in silence: of images that came without, from a folder within."""
    unknown = inner.files(manifest.names_of(index, known=False))
    if count := pc.sum(pc.is_in(files.filter(known), value_set=unknown)).as_py():
        raise PoolError(
            f"{count:,} of these images came with '{inner.source.place}' already, without labels or masks, and would "
            "stay so; add the folders beside it, and tell what is known of its images: pickwell tell --import"
        )


def _foreign(new: pa.Table, manifest: Manifest) -> pa.Table:
    """Marks the rows whose names, though new in their source, another source of the pool has."""
    return _marked(new, pc.is_in(new["name"], value_set=manifest.names_of()))


def _check_class_list(seen: pa.Table) -> None:
    """Refuses a class list that most masks disagree with: then not they are wrong, but it."""
    wrong = seen.filter(pc.equal(seen["reason"], str(Reason.MASK_VALUES)))
    masks = len(seen) - seen["known"].null_count
    if 2 * len(wrong) > masks:
        raise LabelError(
            f"the class list disagrees with {len(wrong):,} of {masks:,} masks, {wrong['name'][0]}: "
            f"{wrong['detail'][0]}; correct the list: a class's line is its value, and !name on a line makes it void"
        )


def unseen(seen: pa.Table, test: Pool | None) -> pa.Table:
    """Sets aside what is in the test set, too: on what was learnt from nothing can be measured."""
    if test is None:
        return seen
    items = test.manifest.with_content(seen["content"])
    if "group" in seen.column_names:
        items = pc.coalesce(items, test.manifest.with_group(seen["group"]))
    said = pc.coalesce(seen["detail"], pa.array(test.manifest.names(), pa.string()).take(items))
    seen = seen.set_column(seen.schema.get_field_index("detail"), "detail", said)
    return _marked(seen, items.is_valid(), Reason.TEST)


def _rows(seen: pa.Table, source: int) -> pa.Table:
    """The rows of a manifest: the images that can be read."""
    good = seen.filter(pc.is_null(seen["reason"]))
    return good.append_column("source", pa.repeat(pa.scalar(source, pa.int32()), len(good)))
