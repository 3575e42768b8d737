"""From what a file says to labels: names to items, class names to the campaign's, sizes and values checked."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pickwell.data.manifest import Manifest
from pickwell.data.reading import is_zip
from pickwell.errors import LabelError
from pickwell.formats.exchange.found import CLASSIFICATION, SEGMENTATION, UNCOVERED, Codes, Context, Found, Size
from pickwell.formats.exchange.names import Names
from pickwell.formats.exchange.problems import Problems
from pickwell.items import ItemId, Kind, Label
from pickwell.labels import IGNORE_INDEX, check_class
from pickwell.spelling import alike
from pickwell.tasks.segmentation.label_maps import Mask, counted

NO_IMAGE = "images that the pool does not have"
SEVERAL = "names that fit several images"
TWICE = "images with two labels"
NO_CLASS = "labels of a class that the campaign does not have"
NO_AREA = "label maps with a class that the campaign does not have"
UNFIT = "labels that do not fit"


@dataclass
class Gathered:
    """The labels of a file, what of it cannot be used, and the pixels that shapes of different classes claimed."""

    labels: list[Label] = field(default_factory=list)
    problems: Problems = field(default_factory=Problems)
    overlap: int = 0
    pixels: int = 0


@dataclass(frozen=True)
class Importer:
    """Turns what formats find into labels. `rename` gives the file's class names the campaign's, "" ignores one.

    Of the `decided` items a skip is passed over; `put` keeps a label map and gives its name, `check` refuses with a
    LabelError a text that is no answer.
    """

    context: Context
    manifest: Manifest
    names: Names
    put: Callable[[Mask], str]
    check: Callable[[str, Size], object]
    rename: Mapping[str, str] = field(default_factory=dict)
    decided: Collection[ItemId] = ()

    def gather(self, found: Sequence[Found], *, skip: bool, where: str) -> Gathered:
        """The labels: all of them, or with `skip` those that can be used. LabelError otherwise; then nothing is kept.

        Every label map is read twice: nothing is kept before all of them are known to be right.
        """
        gathered = Gathered()
        sound = list(self._sound(found, gathered))
        if gathered.problems and not skip:
            raise LabelError(
                f"{where}: {gathered.problems}; nothing was kept: correct these, name classes that are "
                "called otherwise there with --rename THERE=HERE, or leave these out with --skip-unknown",
                problems=gathered.problems,
            )
        if not sound:
            why = f": {gathered.problems}" if gathered.problems else ""
            sentence = f"{where} holds no label that can be used{why}; nothing was kept"
            raise LabelError(sentence, problems=gathered.problems)
        gathered.labels = [self._label(item, one) for item, one in sound]
        return gathered

    def _sound(self, found: Sequence[Found], gathered: Gathered) -> Iterator[tuple[ItemId, Found]]:
        """The items and what is said of them, if it can be used; notes why not, and all label maps' overlap."""
        said: dict[ItemId, Found] = {}
        twice: set[ItemId] = set()
        for one in found:
            item = self._item(one, gathered.problems)
            if item is None:
                continue
            # The same class said twice is no contradiction; two masks would have to be compared.
            if item in said and (one.load or (one.kind, one.label) != (said[item].kind, said[item].label)):
                twice.add(item)
                gathered.problems.add(TWICE, one.name)
            elif self._usable(item, one, gathered):
                said.setdefault(item, one)
        return ((item, one) for item, one in said.items() if item not in twice)

    def _item(self, one: Found, problems: Problems) -> ItemId | None:
        """The item that is meant; None, with a note why, if none or several could be."""
        if one.item is not None and one.item < len(self.manifest):
            return one.item
        items = self.names.find(one.name)
        if len(items) != 1:
            problems.add(SEVERAL if items else NO_IMAGE, one.name)
            return None
        return items[0]

    def _usable(self, item: ItemId, one: Found, gathered: Gathered) -> bool:
        """Whether a label can be used; notes why not, and how shapes overlap."""
        if one.problem:
            gathered.problems.add(UNFIT, f"{one.name}: {one.problem}")
            return False
        if one.kind is not Kind.ANSWER:
            return one.kind is Kind.IGNORE or item not in self.decided
        if one.load is None:
            return self._is_answer(item, one, gathered.problems)
        try:
            codes = self._codes(item, one)
            mask, lost = self._mask(codes, one.name)
        except LabelError as error:
            gathered.problems.add(UNFIT, f"{one.name}: {error}")
            return False
        if lost:
            gathered.problems.add(NO_AREA, *lost)
        gathered.overlap += codes.overlap
        gathered.pixels += codes.values.size
        return not lost or bool((mask != IGNORE_INDEX).any())

    def _is_answer(self, item: ItemId, one: Found, problems: Problems) -> bool:
        name = self._renamed(one.label)
        try:
            if name is not None:
                self.check(name, self._size(item))
        except LabelError as error:
            is_class = self.context.task == CLASSIFICATION
            problems.add(NO_CLASS if is_class else UNFIT, str(error) if is_class else f"{one.name}: {error}")
            return False
        return name is not None

    def _size(self, item: ItemId) -> Size:
        width, height = self._sizes[item].tolist()
        return width, height

    @cached_property
    def _sizes(self) -> NDArray[np.int32]:
        return self.manifest.sizes()

    def _renamed(self, name: str | None) -> str | None:
        """The campaign's name of a class, if it has it; None for one that is to be ignored."""
        if name is None:
            return None
        there = alike(name, self.rename)
        here = name if there is None else self.rename[there]
        return alike(here, self.context.classes) or here or None

    def _codes(self, item: ItemId, one: Found) -> Codes:
        """The label map of an image in the file's numbers; LabelError if its size is another."""
        assert one.load is not None
        width, height = self._size(item)
        codes = one.load((width, height))
        if codes.values.shape != (height, width):
            there = codes.values.shape
            raise LabelError(f"it is {there[1]} x {there[0]} pixels, the image {width} x {height}")
        return codes

    def _mask(self, codes: Codes, where: str) -> tuple[Mask, list[str]]:
        """The label map in the campaign's indices, and which classes it does not have: their pixels are 255."""
        names = {**codes.names, UNCOVERED: self.context.background}
        bins = counted(codes.values)
        counts = {code: int(bins[code]) for code in np.flatnonzero(bins).tolist()}
        strange = [f"{code} ({counts[code]:,} pixels)" for code in counts if code not in names]
        if strange:
            raise LabelError(f"it has the values {', '.join(strange[:5])}, which are no class there")
        lost = []
        table = np.full(UNCOVERED + 1, IGNORE_INDEX, dtype=np.uint8)
        for code, pixels in counts.items():
            name = self._renamed(names[code])
            if name in self.context.classes:
                table[code] = self.context.classes.index(name)
            elif name is not None:
                lost.append(f"'{name}' in {where}, {pixels:,} pixels")
        return table[codes.values], lost

    def _label(self, item: ItemId, one: Found) -> Label:
        value = None
        if one.load is not None:
            value = self.put(self._mask(self._codes(item, one), one.name)[0])
        elif one.kind is Kind.ANSWER:
            value = self._renamed(one.label)
        return Label(item, value, one.kind, one.annotator, one.seconds, one.time)


def check_unpacked(where: Path) -> None:
    """Refuses a zip archive: what is read is a file or a folder."""
    if is_zip(where):
        raise LabelError(f"{where} is a zip archive; unzip it, and name the file or folder in it")


def rename_of(pairs: Sequence[str], context: Context) -> dict[str, str]:
    """The class names that `THERE=HERE` pairs give; an empty HERE ignores the class."""
    renamed = {}
    for pair in pairs:
        there, equals, here = (part.strip() for part in pair.rpartition("="))
        if not equals or not there:
            raise LabelError(f"--rename {pair}: a class is renamed as --rename THERE=HERE")
        renamed[there] = here and check_class(here, context.classes, where=f"--rename {pair}: ")
    return renamed


def check_background(background: str | None, context: Context) -> None:
    """Refuses a background class that the campaign does not have."""
    if background is None:
        return
    if context.task != SEGMENTATION:
        raise LabelError("--background is for masks, and this campaign's labels are none: leave it out")
    check_class(background, context.classes, where="--background: ")
