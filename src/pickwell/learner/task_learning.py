"""What a task means to networks."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor

from pickwell import models, tasks
from pickwell.config import Settings
from pickwell.data.images import Images
from pickwell.data.pool import Pool
from pickwell.errors import SettingsError, unknown
from pickwell.learner.batches import Draws, Targets
from pickwell.learner.item_stream import Stream
from pickwell.learner.learner import Learner, softmax
from pickwell.models import Network
from pickwell.tasks.task import Task


class Pixels(Protocol):
    """A pool's images as tensors."""

    def __len__(self) -> int: ...

    def chunks(self, ids: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Ids and equally large images uint8 `(B, 3, H, W)`, in the order of `ids`, as many as suit a forward pass."""
        ...

    def whole(self, side: int) -> "Pixels":
        """The images as a strategy's own networks see them: all of one size."""
        ...


class TaskLearning(ABC):
    """How labels become targets, what network learns them from which pixels, its loss, and how well a model does.

    What is here suits tasks with one label an image; `Learning` of a task's `learning.py` adds the rest.
    """

    head: ClassVar[str] = "mlp"
    """The model that learns it from an encoder's vectors, unless another is named; "" where only pixels will do."""

    def __init__(self, task: Task) -> None:
        self.task = task

    @abstractmethod
    def targets(self, values: Sequence[str]) -> Targets:
        """The stored labels as training targets, `len(values)` of them."""

    @abstractmethod
    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The task loss L_T of a network's outputs, a scalar."""

    @abstractmethod
    def measure(self, predictions: Iterable[tuple[Tensor, Tensor]]) -> Mapping[str, float]:
        """Figures over batches of (predictions, targets); {} where nothing can be measured."""

    def predictions(self, outputs: Tensor) -> Tensor:
        """What a network's outputs say, float32 `(B, C, *spatial)`: probabilities, where there are classes."""
        return softmax(outputs)

    @property
    def outputs(self) -> int:
        """How many outputs a network has, of an image or of each pixel."""
        return len(self.task.classes)

    def known(self, pool: Pool, items: Sequence[int]) -> Targets:
        """What is known of some images of a pool."""
        return self.targets([self.task.named(str(known)) for known in pool.manifest.known(items)])

    def fingerprint(self, targets: Targets) -> bytes:
        """Bytes that differ where targets do."""
        assert isinstance(targets, Tensor)
        return targets.numpy().tobytes()

    def pixels(self, pool: Pool, settings: Settings) -> Pixels:
        """A pool's images at the size that the networks see."""
        return Images(pool, settings.model.image_size, settings.training.memory_limit_mib << 20)

    def draws(self, pixels: Any, settings: Settings, whole: int, **common: Any) -> Draws:
        """The batches of a fit; `whole` is the side at which a strategy's own networks see images of many sizes."""
        return Draws(pixels, **common)

    def network(self, settings: Settings, weights: str | Path | None = None, size: int | None = None) -> Network:
        """A fresh task network, or one with a file's weights; random: by torch's default generator.

        `size` is the images' side, or the length of vectors in place of images; the settings' image size unless given.
        """
        chosen = settings.model
        side = size or chosen.image_size
        return models.load(chosen.name, self.outputs, image_size=side, weights=weights, width=chosen.width)

    def check_network(self, name: str) -> None:
        """Refuses a model that cannot learn the task from pixels."""
        if name in models.available_vectors():
            raise SettingsError(
                f"model.name is '{name}', which learns from vectors, and encoder is \"none\"; name an encoder "
                f"(pickwell encoders), or a network for pixels: {', '.join(models.available())}"
            )
        if name not in models.available():
            raise SettingsError(unknown("model", name, models.available()))

    def sketch(self, settings: Settings) -> Network:
        """The task network without a number in it: what can be asked of it costs no memory."""
        with torch.device("meta"):
            return self.network(settings)

    def show(
        self, folder: Path, number: int, picks: Sequence[int], learner: Learner, streams: Callable[[Tensor], Stream]
    ) -> None:
        """Writes into `folder`, before round `number` opens, what people see of its picks beside the suggestions."""


def learning_of(task: Task) -> TaskLearning:
    """What a task means to networks: the class `Learning` of `learning.py` beside the task's class."""
    part = tasks.part(task, "learning")
    assert part is not None, f"{type(task).__name__} has no learning.py beside it"
    found: TaskLearning = part.Learning(task)
    return found
