"""What making or adding to a pool came to."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pickwell.data.grey_levels import EACH, Greys
from pickwell.data.image_errors import MASK_REASONS
from pickwell.data.manifest import Manifest
from pickwell.data.sources import FolderTree, MaskedFolder, Source
from pickwell.data.tree import leaves
from pickwell.errors import PickwellError
from pickwell.items import Item, ItemId
from pickwell.tasks.segmentation.label_maps import Mask

SHOWN = 5
"""Of how many masks or labels that cannot be used a summary says what is wrong with them."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What making or adding to a pool came to: of those listed, so many are new, were in it `already`, are set aside.

    `reasons` counts those set aside by why; `total` is the pool's size now. So many of the new ones have known `masks`.
    So many files are `copies` of `copied` images: further names of these. Of the copies `differing` came with another
    label, which does not count. `spoilt` says of the first few masks and labels that cannot be used what is wrong.
    So many `further` pictures are in `framed` files behind their first; so many images are `damaged`, but can be seen.
    So many are `deep`, grey of more than 8 bits, and shown by the range `greys`, beyond which `clipped` have values.
    So many are `elsewhere`: links lead out of the folder to them.
    `shown` counts the masks that show each class, `blank` those that show none; `void` is their share of void pixels.

    >>> print(Summary(added=1795, already=0, set_aside=2, reasons={"truncated": 2}, total=1795))
    1,795 images added, 1,795 in the pool; 2 set aside (2 truncated)
    """

    added: int
    already: int
    set_aside: int
    reasons: Mapping[str, int]
    total: int
    masks: int = 0
    spoilt: tuple[str, ...] = ()
    copies: int = 0
    copied: int = 0
    differing: int = 0
    further: int = 0
    framed: int = 0
    damaged: int = 0
    deep: int = 0
    clipped: int = 0
    greys: Greys | None = None
    shown: tuple[int, ...] = ()
    elsewhere: int = 0
    blank: int = 0
    void: float = 0.0

    def __str__(self) -> str:
        masked = f", {self.masks:,} of them with a mask" if self.masks else ""
        said = f"{self.added:,} images added{masked}, {self.total:,} in the pool"
        told = (
            (self.already, "; {:,} were there already"),
            (self.copies, f"; {{:,}} files are copies of {self.copied:,} images, and count as these"),
            (self.differing, ", though {:,} came with another label, which is left out"),
            (self.framed, f"; {self.further:,} further pictures in {{:,}} files are left out: the first is shown"),
            (self.elsewhere, "; {:,} are links out of the folder, shown to all (--follow-links no leaves them out)"),
            (self.damaged, "; {:,} are damaged, and shown as far as they can be seen"),
            (self.deep, f"; {{:,}} are grey of more than 8 bits, shown from {self.greys}"),
            (self.clipped, ", beyond which {:,} have values"),
        )
        said += "".join(words.format(count) for count, words in told if count)
        return f"{said}; {counted(self.reasons)}" if self.set_aside else said


class Grown(Protocol):
    """What is asked of a pool that has taken images: of what it holds, and what it knows of that."""

    @property
    def manifest(self) -> Manifest: ...
    def item(self, item: ItemId) -> Item: ...
    def mask(self, item: ItemId) -> Mask: ...


def summary_of(
    pool: Grown, seen: pa.Table, source: Source, greys: Greys | None, *, already: int, before: int
) -> Summary:
    """What the pool, which held so many `before`, has taken of the images that were seen in its `source`."""
    good = seen.filter(pc.is_null(seen["reason"]))
    items = pool.manifest.find_all(good["name"].to_pylist())
    own = np.array(pool.manifest.names(items), dtype=object) == np.array(good["name"].to_pylist(), dtype=object)
    copies = good.filter(pa.array(~own)).append_column("item", pa.array(items[~own]))
    differing = [sentence for row in copies.to_pylist() if (sentence := _differing(pool, row, source))]
    spoilt = seen.filter(pc.is_in(seen["reason"], value_set=pa.array(map(str, MASK_REASONS)))).slice(0, SHOWN)
    said = map(": ".join, zip(*(spoilt[column].to_pylist() for column in ("name", "detail")), strict=True))
    masks = good["known"].filter(pa.array(own)) if isinstance(source, MaskedFolder) else pa.nulls(0)
    return Summary(
        added=len(pool.manifest) - before,
        already=already,
        set_aside=len(seen) - len(good),
        reasons=reasons(seen),
        total=len(pool.manifest),
        masks=len(masks) - masks.null_count,
        spoilt=(*said, *differing[:SHOWN]),
        copies=len(copies),
        copied=len(pc.unique(copies["item"])),
        differing=len(differing),
        elsewhere=_elsewhere(good, source),
        **_oddities(good, greys),
        **(_masks(good, source.masks.classes) if isinstance(source, MaskedFolder) else {}),
    )


def _elsewhere(good: pa.Table, source: Source) -> int:
    """How many of a folder's files links lead to that leave it."""
    if not isinstance(source, FolderTree):
        return 0
    outside = lru_cache(maxsize=None)(partial(leaves, root=source.root))
    files = (source.file(path) for path in pc.coalesce(good["path"], good["name"]).to_pylist())
    return sum(leaves(file, source.root) if file.is_symlink() else outside(file.parent) for file in files)


def _oddities(good: pa.Table, greys: Greys | None) -> dict[str, Any]:
    """What is to be said of images that are not shown whole."""
    frames = np.asarray(good["frames"])
    deep = good.filter(pc.is_valid(good["low"]))
    low, high = greys or EACH
    beyond = (np.asarray(deep["low"]) < low) | (np.asarray(deep["high"]) > high)
    return {
        "further": int(np.maximum(frames - 1, 0).sum()),
        "framed": int((frames > 1).sum()),
        "damaged": len(good) - good["damage"].null_count,
        "deep": len(deep),
        "clipped": int(beyond.sum()) if greys not in (None, EACH) else 0,
        "greys": greys,
    }


def _masks(good: pa.Table, classes: int) -> dict[str, Any]:
    """Which classes the masks of the images show, and how much of them is void."""
    masks = good.filter(pc.is_valid(good["void"]))
    shown = np.asarray(pc.list_flatten(masks["shown"]), dtype=np.int64)
    pixels = pc.sum(pc.multiply(masks["width"].cast(pa.int64()), masks["height"])).as_py()
    return {
        "shown": tuple(np.bincount(shown, minlength=classes).tolist()),
        "blank": pc.sum(pc.equal(pc.list_value_length(masks["shown"]), 0)).as_py() or 0,
        "void": (pc.sum(masks["void"]).as_py() or 0) / (pixels or 1),
    }


def _differing(pool: Grown, copy: dict[str, Any], source: Source) -> str:
    """The sentence about a copy that came with another label than the image that it is; "" of one that did not."""
    image, known = pool.item(copy["item"]), copy["known"]
    if known in (None, image.known) or (isinstance(source, MaskedFolder) and _same_mask(pool, copy, source)):
        return ""
    said = f"known as {image.known}" if image.known else "without a label"
    return f"{copy['name']}: came as {known}, but is the same image as {image.name}, {said}"


def _same_mask(pool: Grown, copy: dict[str, Any], source: MaskedFolder) -> bool:
    try:
        mask = source.masks.read(copy["known"], (copy["width"], copy["height"]))
        return np.array_equal(mask, pool.mask(copy["item"]))
    except PickwellError:
        return False


def reasons(seen: pa.Table) -> dict[str, int]:
    """How many images are set aside for each reason, the commonest first."""
    return dict(Counter(seen["reason"].drop_null().to_pylist()).most_common())


def counted(reasons: Mapping[str, int]) -> str:
    """The words about what is set aside."""
    return f"{sum(reasons.values()):,} set aside ({', '.join(f'{n:,} {reason}' for reason, n in reasons.items())})"
