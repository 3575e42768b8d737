"""Which image of the pool a file means."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import cached_property
from pathlib import PurePosixPath, PureWindowsPath
from typing import TypeVar

from pickwell.data.manifest import Manifest
from pickwell.data.tree import SUFFIXES
from pickwell.errors import LabelError
from pickwell.items import ItemId

Place = TypeVar("Place", str, tuple[str, str])


def without_ending(name: str) -> str:
    """The name without the ending of an image file; other endings belong to the name.

    >>> without_ending("cats/a.1.jpg"), without_ending("v1.5")
    ('cats/a.1', 'v1.5')
    """
    ending = PurePosixPath(name).suffix
    return name[: -len(ending)] if ending.lower() in SUFFIXES else name


SPLITS = ("train", "val", "test")


def by_split(name: str) -> tuple[str, str]:
    """The split that a folder of the name says and what follows there, without ending; train where none says one.

    >>> by_split("camvid/val/01/a.png"), by_split("a.png")
    (('val', '01/a'), ('train', 'a'))
    """
    parts = without_ending(name).split("/")
    split = next((index for index, part in enumerate(parts[:-1]) if part in SPLITS), None)
    return ("train", "/".join(parts)) if split is None else (parts[split], "/".join(parts[split + 1 :]))


class Names:
    """Finds the items of a pool by the names that files have for them.

    In this order, and only if exactly one image is so: (1) the same name; (2) one path is the end of the other, whole
    folders only; (3) the same without the endings of image files: the whole name, else one path the end of the other.
    """

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest

    def find(self, name: str) -> Sequence[ItemId]:
        """The items that are meant: one; none if the pool has no such image, several if it cannot be told which."""
        if (same := self._by_name.get(name)) is not None:
            return [same]
        path, stem = _path(name), _path(without_ending(name))
        near = self._by_stem.get(_last(stem), ())
        if ends := [item for item, known, _ in near if _is_end(known, path)]:
            return ends
        alike = [item for item, _, known in near if known == stem]
        return alike or [item for item, _, known in near if _is_end(known, stem)]

    @cached_property
    def _by_name(self) -> dict[str, ItemId]:
        return {name: item for item, name in enumerate(self.manifest.names())}

    @cached_property
    def _by_stem(self) -> dict[str, list[tuple[ItemId, str, str]]]:
        """Items, their paths, and these without endings, by the last part of the latter."""
        stems: dict[str, list[tuple[ItemId, str, str]]] = defaultdict(list)
        for item, name in enumerate(self.manifest.names()):
            stem = _path(without_ending(name))
            stems[_last(stem)].append((item, _path(name), stem))
        return dict(stems)


def _path(name: str) -> str:
    """The name with a slash before each part of it, so that whole parts are compared."""
    return "".join(f"/{part}" for part in name.replace("\\", "/").split("/") if part not in ("", "."))


def _last(path: str) -> str:
    return path.rpartition("/")[2]


def _is_end(one: str, other: str) -> bool:
    """Whether one path is the end of the other; asked of thousands, where each video of a pool has a frame 1."""
    return bool(one and other) and (one.endswith(other) or other.endswith(one))


def inside(name: str, what: str = "the image") -> PurePosixPath:
    """The name as a path below a folder that is written to; LabelError if it would lead out of it."""
    # Read as a Windows path too: a name that is harmless here may lead out there.
    path, other = PurePosixPath(name), PureWindowsPath(name)
    leads_out = path.is_absolute() or other.drive or other.root or ".." in (*path.parts, *other.parts)
    if leads_out or not path.parts or "\0" in name:
        raise LabelError(f"{what} '{name}' cannot be a file below the export folder; use a format of a single file")
    return path


def distinct(places: Sequence[Place]) -> Sequence[Place]:
    """The places in a layout, if no two images have one; else a LabelError."""
    twice = next((place for place, count in Counter(places).items() if count > 1), None)
    if twice is not None:
        said = twice if isinstance(twice, str) else "/".join(twice)
        raise LabelError(f"two images would have one mask, '{said}', in this layout; export as masks, which keeps both")
    return places


class Places:
    """Gives each image a file of its own: its name with another ending, or that after the whole name if two share it.

    >>> places = Places(["a.jpg", "a.png", "b.jpg"])
    >>> [str(places.of(name)) for name in ("a.jpg", "a.png", "b.jpg")]
    ['a.jpg.png', 'a.png.png', 'b.png']
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._shared = Counter(without_ending(name).casefold() for name in names)

    def key(self, name: str) -> str:
        """The name without its ending, if no other image would have the same."""
        short = without_ending(name)
        return short if self._shared[short.casefold()] < 2 and without_ending(short) == short else name

    def of(self, name: str, ending: str = ".png") -> PurePosixPath:
        """The file's path below the export folder."""
        return inside(self.key(name) + ending)
