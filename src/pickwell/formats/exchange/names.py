"""Which image of the pool a file means."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import PurePosixPath, PureWindowsPath
from typing import TypeVar

from pickwell.data.manifest import Manifest
from pickwell.errors import LabelError
from pickwell.formats.exchange.readings import READINGS, of_address, without_ending
from pickwell.items import ItemId

Place = TypeVar("Place", str, tuple[str, str])


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
    """Finds the items of a pool by the names that files have for them, those of copies among them.

    The first reading counts by which some image is meant: the name is (1) the whole of it, else (2) one path is the end
    of the other, whole folders only.
    """

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self._indices: dict[int, _Ends] = {}

    def find(self, name: str) -> Sequence[ItemId]:
        """The items that are meant: one; none if the pool has no such image, several if it cannot be told which."""
        if (same := self._by_name.get(name)) is not None:
            return [same]
        if items := self._read(name):
            return items
        others = dict.fromkeys((name.strip(), of_address(name)))
        return next(filter(None, (self._read(other) for other in others if other != name)), [])

    def _read(self, name: str) -> Sequence[ItemId]:
        """The items of the first reading that has some."""
        for place, reading in enumerate(READINGS):
            spelt = reading.said(name)
            if spelt is not None and (items := self._ends(place).find(spelt)):
                return items
        return []

    @cached_property
    def _by_name(self) -> dict[str, ItemId]:
        return {name: item for item, name in self.manifest.every_name()}

    def _ends(self, place: int) -> "_Ends":
        """The index of a reading, made when it is first needed."""
        if place not in self._indices:
            known = READINGS[place].known
            self._indices[place] = _Ends((known(name), item) for name, item in self._by_name.items())
        return self._indices[place]


class _Ends:
    """Paths that are found by their ends, in a time that hardly grows with their number."""

    def __init__(self, paths: Iterable[tuple[str, ItemId]]) -> None:
        # Read backwards, all paths of one end lie side by side.
        pairs = sorted((_backwards(path), item) for path, item in paths)
        self._paths = [path for path, _ in pairs]
        self._items = [item for _, item in pairs]
        self._deepest = max((path.count("/") for path in self._paths), default=0)
        self._found: dict[str, Sequence[ItemId]] = {}

    def find(self, path: str) -> Sequence[ItemId]:
        """The items whose path is this one, else those of which one path is the end of the other, each once."""
        said = _backwards(path)
        # Remembered: what many files say may fit many images.
        if said not in self._found:
            self._found[said] = self._search(said) if said else []
        return self._found[said]

    def _search(self, said: str) -> Sequence[ItemId]:
        if whole := self._between(said, said + "\0"):
            return whole
        *parts, _ = said.split("/", self._deepest + 1)
        ends = ["/".join(parts[:count]) + "/" for count in range(1, len(parts))]
        shorter = [item for end in ends for item in self._between(end, end + "\0")]
        # "0" is what comes after "/".
        return list(dict.fromkeys([*self._between(said, said[:-1] + "0"), *shorter]))

    def _between(self, first: str, end: str) -> Sequence[ItemId]:
        found = self._items[bisect_left(self._paths, first) : bisect_left(self._paths, end)]
        return list(dict.fromkeys(found))  # several names may be one item's


def _backwards(path: str) -> str:
    r"""The parts of a path, the last first, with a slash behind each.

    >>> _backwards("C:\\photos\\.\\1.jpg")
    '1.jpg/photos/C:/'
    """
    parts = path.replace("\\", "/").split("/")
    return "".join(f"{part}/" for part in reversed(parts) if part not in ("", "."))


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
        raise LabelError(f"two images would have one place, '{said}', in this layout; export as csv, which keeps both")
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
