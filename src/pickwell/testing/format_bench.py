"""A bench for formats: labels of a small pool that go through a file and back, without a campaign."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np
from PIL import Image

from pickwell import formats
from pickwell.data.pool import Pool
from pickwell.formats.exchange.found import Asked, Context, Found, Labelled, Question
from pickwell.formats.exchange.names import Names
from pickwell.formats.exporting import file_of
from pickwell.formats.importing import Gathered, Importer
from pickwell.items import ItemId
from pickwell.labels import check_class
from pickwell.tasks.segmentation.label_maps import Mask


@dataclass
class Bench:
    """A pool, a folder to write to, and the label maps that came back last."""

    pool: Pool
    root: Path
    kept: list[Mask] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """The names of the pool's images, by id."""
        return self.pool.manifest.names()

    def size(self, item: ItemId) -> tuple[int, int]:
        """Width and height of an image."""
        width, height = self.pool.manifest.sizes([item])[0].tolist()
        return width, height

    def labelled(self, values: Sequence[str | Mask], first: int = 0) -> list[Labelled]:
        """The first items with these labels."""
        return [
            Labelled(
                item,
                self.names[item],
                self.size(item),
                value if isinstance(value, str) else "",
                mask=lambda value=value: value,  # type: ignore[misc]
                image=lambda item=item: self.pool.bytes(item),  # type: ignore[misc]
                file=self._file(item),
            )
            for item, value in enumerate(values, first)
        ]

    def asked(self, *items: ItemId, prefix: str = "") -> Question:
        """A to-label list of these items, the first ranked first."""
        asked = (
            Asked(item, self.names[item], rank, 0.5 / rank, partial(self.pool.bytes, item), self._file(item))
            for rank, item in enumerate(items, 1)
        )
        return Question(3, tuple(asked), prefix)

    def _file(self, item: ItemId) -> Path | None:
        return file_of(self.pool, self.pool.manifest.places(item)[0])

    def context(self, task: str, classes: Sequence[str], background: str | None = None) -> Context:
        """A campaign's task and classes, as a format is told them."""
        names = Names(self.pool.manifest)
        return Context(task, tuple(classes), (), background, lambda name: len(names.find(name)) == 1)

    def gather(
        self,
        found: list[Found],
        context: Context,
        *,
        skip: bool = False,
        rename: dict[str, str] | None = None,
        decided: Sequence[int] = (),
    ) -> Gathered:
        """Labels out of what a format found, as an import makes them; label maps go to `kept`."""
        self.kept.clear()
        manifest = self.pool.manifest
        names, classes = Names(manifest), context.classes
        check = lambda label, _: check_class(label, classes)  # noqa: E731
        importer = Importer(context, manifest, names, self._put, check, rename or {}, decided)
        return importer.gather(found, skip=skip, where="the file")

    def read(self, form: str | ModuleType, where: Path, context: Context, *, skip: bool = False) -> dict[int, str]:
        """What a file of a format, or of one of that name, says: item to class, or to the mask's place in `kept`."""
        module = formats.named(form) if isinstance(form, str) else form
        gathered = self.gather(module.read(where, context), context, skip=skip)
        return {label.item: str(label.value) for label in gathered.labels}

    def maps(
        self, form: str | ModuleType, where: Path, context: Context, *, skip: bool = False
    ) -> dict[int, list[list[int]]]:
        """The label maps that a format's file gives, by item."""
        found = self.read(form, where, context, skip=skip)
        return {item: self.kept[int(value)].tolist() for item, value in found.items()}

    def _put(self, mask: Mask) -> str:
        assert mask.dtype == np.uint8
        self.kept.append(mask)
        return str(len(self.kept) - 1)


SIZES = {"train/a.jpg": (9, 6), "train/b c.png": (4, 4), "val/déjà.png": (1, 1), "val/sub/a.jpg": (16, 3)}
"""Four images that differ in all that a format could stumble over: width and height by name."""


def four_images(root: Path) -> Pool:
    """A pool of them, made in `root`."""
    for name, size in SIZES.items():
        (root / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size, (9, 9, 9)).save(root / "images" / name)
    return Pool.create(root / "pool", root / "images")
