"""Segmentation: one class a pixel."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pickwell.config import ENCODER
from pickwell.data.image_errors import ImageError
from pickwell.data.layouts import CAMVID_LIST, layout
from pickwell.data.mask_files import SUFFIX, MaskFiles
from pickwell.data.sources import find, tree
from pickwell.data.sources.source import place
from pickwell.errors import LabelError, PoolError, SettingsError
from pickwell.items import Item
from pickwell.labels import IGNORE_INDEX, VOID, check_classes, split_void
from pickwell.tasks.segmentation.label_maps import MaskFolder, check_mask
from pickwell.tasks.segmentation.mask_values import MaskValues
from pickwell.tasks.task import Answer, Size, Task

if TYPE_CHECKING:
    from pickwell.config import Settings
    from pickwell.data.pool import Pool

CROP = 176
"""The side of the crops that it learns from: at width 1/4 eight in half a second."""
PHOTOGRAPH = 128
"""From this short side on, in pixels, lite0 is fine-tuned, unless somebody says otherwise."""


class Segmentation(Task):
    """One of the classes for each pixel; a label is the name of a mask in the campaign's folder of masks."""

    kind = "segmentation"
    metric = "mean_iou"
    figure = "mean IoU"
    beside: ClassVar[Mapping[str, str]] = {"pixel_accuracy": "pixel accuracy"}
    counted = "shown by"
    many_classes = masked = True
    typed = False
    noun = "mask"
    fixed_classes = True
    network = "drn_d_22"
    known_by = "--masks"
    test_known_by = "name their folder with --test-masks"

    @property
    def masks(self) -> MaskFolder:
        """The masks that labels name."""
        return MaskFolder(self.folder / "masks")

    @property
    def given(self) -> tuple[tuple[str, int], ...]:
        """What values of mask files mean that is not their place in the list, as MaskValues have it."""
        return MaskValues.named(self.classes, self.settings.void, self.settings.mask_values).given

    def _files(self, folder: Path) -> MaskFiles:
        return MaskFiles(folder, len(self.classes), self.settings.void, given=self.given)

    def check_settings(self, settings: "Settings") -> None:
        check_classes(self.classes)
        void, overlap = self.settings.void, settings.serve.overlap
        if wrong := [value for value in void if not 0 <= value < IGNORE_INDEX]:
            raise SettingsError(
                f"setting 'task.void' is {list(void)}: a mask has values from 0 to 254, and 255 is void anyway; "
                f"remove {wrong[0]}"
            )
        if len(self.classes) + len(void) > IGNORE_INDEX:
            raise SettingsError(
                f"a mask tells at most {IGNORE_INDEX} classes and void values apart, and there are "
                f"{len(self.classes) + len(void)}; merge some"
            )
        _ = self.given  # called for its error: a name may be none of the classes
        if overlap > 1:
            raise SettingsError(
                f"setting 'serve.overlap' is {overlap}: a mask is drawn by one person, because no two draw the same; "
                "remove it, or set it to 1"
            )

    def check(self, answer: Answer, size: Size, where: str = "") -> None:
        if isinstance(answer, str):
            if answer not in self.masks:
                raise LabelError(
                    f"{where}'{answer[:80]}' is no mask in {self.masks.root}; "
                    "tell an array (H, W) of uint8 or, with pickwell tell, the path of a mask's file"
                )
            answer = self.masks.get(answer)
        check_mask(answer, size, len(self.classes), where)

    def keep(self, answer: Answer) -> str:
        return answer if isinstance(answer, str) else self.masks.put(answer)

    def answer(self, value: str) -> Answer:
        return self.masks.get(value)

    def read(self, text: str, folder: Path, size: Size, where: str = "") -> Answer:
        named, files = PurePath(text), self._files(folder)
        if named.name in self.masks:
            return named.name
        if named.suffix.lower() != SUFFIX:
            raise LabelError(
                f"{where}'{text}' is no mask; this campaign's labels are masks, "
                f"so give the path of a {SUFFIX} file, relative to {folder.absolute()}"
            )
        try:
            return files.read(text, size)
        except ImageError as error:
            raise LabelError(f"{where}'{text}': {error}") from None

    def known(self, pool: "Pool", item: Item) -> Answer | None:
        if item.known is None:
            return None
        mask, (width, height) = pool.mask(item.id), pool.manifest.sizes([item.id])[0].tolist()
        self.check(mask, (width, height), f"item {item.id} ({item.name}): ")
        return mask

    def mistaken(self, answer: Answer, other: Callable[..., str]) -> Answer:
        """Each class that occurs is taken for another, or not, wherever it occurs; outlines stay right."""
        assert not isinstance(answer, str), "an oracle knows masks as arrays"
        table = np.arange(256, dtype=np.uint8)
        for index in np.unique(answer[answer != IGNORE_INDEX]).tolist():
            table[index] = self.classes.index(other(self.classes[index], index))
        return table[answer]

    def shown(self, value: str) -> Iterable[str]:
        return (self.classes[index] for index in self.masks.shown(value) if index < len(self.classes))

    def check_known(self, pool: "Pool", whose: str) -> None:
        """Nothing: every mask was looked at when the pool was made."""

    def sources(self, images: str | Path, masks: str | Path | None, part: str, **source: Any) -> dict[str, Any]:
        if source.get("labels_from_folders"):
            raise SettingsError(
                "labels from folders were asked for, but the task is segmentation, whose labels are masks; "
                "name their folder with --masks"
            )
        if masks is not None and not str(masks).strip():  # as a path it would be the folder that one stands in
            raise PoolError("no masks at '': the place is empty; name a folder, or '.' for the one you are in")
        found = layout(images, masks, part)
        # Called for its error: masks go with a folder of images alone.
        tree(find(found.images), images)
        files = None
        if found.masks is not None:
            files = self._files(place(str(found.masks)))
        return {"where": found.images, "masks": files, **source}

    @classmethod
    def begin(
        cls, images: str | Path, masks: str | Path | None, classes: Sequence[str] | None, changes: Mapping[str, Any]
    ) -> tuple[Sequence[str] | None, dict[str, Any]]:
        if classes is None and (given := changes.get("task.mask_values")):
            classes = list(dict.fromkeys(name for name in given.values() if not name.startswith(VOID)))
        if classes is None and not layout(images, masks, "train").camvid:
            raise SettingsError(
                "no class list: masks hold numbers, and only a list says what they mean; "
                "name the classes by their values, --classes a,b,c or --classes @FILE, with !name for a void value"
            )
        names, void = split_void(CAMVID_LIST if classes is None else classes)
        return names, {"task.void": void, **changes}

    def fitting(self, pool: "Pool", encoder: str | None) -> dict[str, Any]:
        """The crop and the steps that suit the scenes and a CPU of two cores."""
        short = int(np.median(pool.manifest.sizes().min(axis=1)))
        crop = min(CROP, max(32, short // 8 * 8))
        suits = {"model.image_size": crop, "training.batch_size": 8, "training.epochs": 50}
        if encoder is None and short >= PHOTOGRAPH:
            return suits | {"encoder": ENCODER, "training.finetune": True}
        return suits | {"model.width": 0.25, "training.learning_rate": 1e-3}

    def finetuning(self, pool: "Pool") -> dict[str, Any]:
        # At 1e-3 classes of few pixels are learnt late (docs/masks.md).
        return {"model.width": 1.0, "training.learning_rate": 3e-3}
