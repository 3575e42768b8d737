"""Which images are there now as they were, of as many as a pool has."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pickwell.data.copies import Kept, content_of
from pickwell.data.image_errors import ImageError
from pickwell.data.manifest import Manifest
from pickwell.data.reading import Stamp, stamp
from pickwell.data.sources import Source
from pickwell.items import ItemId

BLOCK = 1 << 16
"""Items that are looked for at once, which bounds the memory."""


class Looker:
    """Looks at the images of a source, at each of its files once."""

    def __init__(self, source: Source, most: int) -> None:
        self.source, self.most = source, most
        self._stamps: dict[str, Stamp | None] = {}

    def now(self, path: str) -> Stamp | None:
        """The stamp of a file now; None where it is not there."""
        if path not in self._stamps:
            self._stamps[path] = stamp(self.source.file(path))
        return self._stamps[path]

    def has(self, image: Kept) -> bool:
        """Whether the image is there and is the same picture: by its file's stamp or, where that is another, by bytes.

        Always where images are no files. Of a pool that has not kept what their bytes are, a file of the name does.
        """
        if self.source.file(image.path) is None:
            return True
        now = self.now(image.path)
        if now is None or image.content is None or now == image.stamp:
            return now is not None
        try:
            return content_of(self.source.read(image.path, image.row, self.most)) == image.content
        except ImageError:
            return False


def lost_and_touched(
    manifest: Manifest, sources: Sequence[Source], items: NDArray[np.int64], most: int
) -> tuple[list[ItemId], dict[ItemId, Stamp]]:
    """The items whose pictures are nowhere, and new stamps of files that were written again and are as they were.

    `sources` are those that the manifest counts; no file of more than `most` bytes is read.
    """
    lookers = [Looker(source, most) for source in sources]
    lost: list[ItemId] = []
    touched: dict[ItemId, Stamp] = {}
    for part in np.split(items, range(BLOCK, len(items), BLOCK)):
        for item, source, kept in zip(part.tolist(), *manifest.kept(part), strict=True):
            if not lookers[source].has(kept):
                lost += [] if _elsewhere(manifest, item, lookers) else [item]
            elif kept.content and (now := lookers[source].now(kept.path)) not in (None, kept.stamp):
                touched[item] = now
    return lost, touched


def _elsewhere(manifest: Manifest, item: ItemId, lookers: Sequence[Looker]) -> bool:
    """Whether a copy of the item is there."""
    places, content = manifest.copies.places(item), manifest.content(item)
    return any(lookers[source].has(Kept(path, row, None, content)) for _, source, path, row in places)
