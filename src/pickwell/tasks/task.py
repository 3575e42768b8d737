"""What a kind of task is, as far as no network is needed."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pickwell.errors import SettingsError
from pickwell.items import Item
from pickwell.labels import check_classes
from pickwell.tasks.segmentation.label_maps import Mask

if TYPE_CHECKING:
    from pickwell.config import Settings, TaskSettings
    from pickwell.data.pool import Pool

Answer = str | Mask
"""What somebody says of an image: a text, or a mask as an array."""
Size = tuple[int, int]
"""An image's width and height in pixels."""


class Task(ABC):
    """One kind of task under a campaign's settings; `folder` is the campaign's, in which lies what labels name."""

    kind: ClassVar[str]
    metric: ClassVar[str]
    """The name of the figure shown first, a key of what is measured."""
    figure: ClassVar[str]
    """What people call it."""
    share: ClassVar[bool] = True
    """Whether it lies in [0, 1] and more is better; others are not compared, only told."""
    beside: ClassVar[Mapping[str, str]] = {}
    """Further figures that are told beside it, and what people call them."""
    counted: ClassVar[str] = "classes"
    """What is said before the numbers of labels by class."""
    many_classes: ClassVar[bool] = False
    """Whether one image can show several classes."""
    masked: ClassVar[bool] = False
    """Whether the labels that images come with are mask files beside them."""
    typed: ClassVar[bool] = True
    """Whether people answer with a text."""
    noun: ClassVar[str] = "label"
    """What a label is called."""
    fixed_classes: ClassVar[bool] = False
    """Whether labels hold places in the class list, so that it never changes; names may come and go."""
    known_by: ClassVar[str] = "--labels-from-folders or a label column"
    """How images come with known labels."""
    test_known_by: ClassVar[str] = "a folder a class (--labels-from-folders), or a label column"
    """How the images of a test set do."""

    network: ClassVar[str] = "small_cnn"
    """The network that learns it from images, where no other suits them better."""

    def __init__(self, settings: "TaskSettings", folder: Path) -> None:
        self.settings, self.folder = settings, folder

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names, in the campaign's order."""
        return self.settings.classes

    def check_settings(self, settings: "Settings") -> None:
        """Refuses, with a SettingsError, settings that this kind of task cannot have."""
        check_classes(self.classes)
        said: dict[str, object] = {"void": list(self.settings.void), "mask_values": self.settings.mask_values}
        for name, value in said.items():
            if value:
                raise SettingsError(
                    f"setting 'task.{name}' is {value}: only masks have such values; leave it out, or set task.kind to "
                    "segmentation"
                )

    @property
    def suggested(self) -> tuple[str, ...]:
        """The answers of which the likeliest is suggested, in the order of the model's outputs; () for none."""
        return ()

    @abstractmethod
    def check(self, answer: Answer, size: Size, where: str = "") -> None:
        """Refuses, with a LabelError that begins with `where`, what is no answer for an image of that size."""

    def keep(self, answer: Answer) -> str:
        """The text that the store keeps of an answer; what it names is on the disk when this returns."""
        return str(answer)

    def answer(self, value: str) -> Answer:
        """The answer of which the store keeps this text."""
        return value

    def read(self, text: str, folder: Path, size: Size, where: str = "") -> Answer:
        """The answer that a label file in `folder` gives by this text; LabelError if it gives none."""
        return text

    def known(self, pool: "Pool", item: Item) -> Answer | None:
        """The answer that an image came with, None if it has none; a LabelError if it is not allowed."""
        if item.known is None:
            return None
        known, (width, height) = self.named(item.known), pool.manifest.sizes([item.id])[0].tolist()
        self.check(known, (width, height), f"item {item.id} ({item.name}): ")
        return known

    def named(self, known: str) -> str:
        """The class that an image came with, by its name now."""
        return self.settings.renamed.get(known, known)

    def mistaken(self, answer: Answer, other: Callable[..., str]) -> Answer:
        """The answer as somebody gives it who takes a class for `other(class, *what)`; `what` tells mistakes apart."""
        return other(answer)

    def shown(self, value: str) -> Iterable[str]:
        """The classes that a label shows."""
        return (value,)

    @abstractmethod
    def check_known(self, pool: "Pool", whose: str) -> None:
        """Refuses images that came with labels which the settings do not allow."""

    @abstractmethod
    def sources(self, images: str | Path, masks: str | Path | None, part: str, **source: Any) -> dict[str, Any]:
        """What `Pool.create` and `Pool.add` are called with for the images of a `part`, "train" or "test"."""

    @classmethod
    def begin(
        cls, images: str | Path, masks: str | Path | None, classes: Sequence[str] | None, changes: Mapping[str, Any]
    ) -> tuple[Sequence[str] | None, dict[str, Any]]:
        """The class list, None where the images are to tell it, and the settings that go with it."""
        return classes, dict(changes)

    @abstractmethod
    def fitting(self, pool: "Pool", encoder: str | None) -> dict[str, Any]:
        """The settings that suit the images, by dotted key; `encoder` is the one that was chosen, None for none yet."""

    def finetuning(self, pool: "Pool") -> dict[str, Any]:
        """The settings that suit an encoder's network which learns from the images, by dotted key."""
        return {}
