"""A small pool, a learner with closed-form answers and a round's view: what a strategy sees, without a campaign."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pickwell.learner import Batch, Devices
from pickwell.learner.checkpoints import Checkpoint
from pickwell.learner.generators import generator, isolated
from pickwell.seeds import derive
from pickwell.strategies.strategy import Strategy
from pickwell.tasks.segmentation.crops import gathered, resize


class FakeLearner:
    """Answers that can be worked out by hand.

    `embed` is each channel's mean in the four quarters of the image, `(B, 12)`; `predict` is the softmax of `weight`
    times it; sample number k is `predict` of the image made brighter by a factor of 1 + k / 10.
    """

    def __init__(self, classes: int = 3) -> None:
        self.weight = torch.linspace(-3, 3, 12 * classes).reshape(classes, 12).roll(5, 1)

    def embed(self, images: Tensor) -> Tensor:
        height, width = images.shape[-2] // 2, images.shape[-1] // 2
        halves = images[..., :height, :], images[..., height:, :]
        quarters = [part for half in halves for part in (half[..., :width], half[..., width:])]
        return torch.cat([quarter.mean((2, 3)) for quarter in quarters], dim=1)

    def predict(self, images: Tensor) -> Tensor:
        # Row by row: a matrix product rounds differently with the number of rows.
        logits = (self.embed(images)[:, None] * self.weight).sum(2)
        return logits.softmax(1)

    def sample(self, images: Tensor, n: int) -> Iterator[Tensor]:
        for number in range(n):
            yield self.predict(images * (1 + number / 10))


class FakeDenseLearner(FakeLearner):
    """For masks, `(B, C, H, W)`: a pixel's probabilities are its image's to the power of 1 + its own red, rescaled.

    `embed` is FakeLearner's, and so is what sample number k is a prediction of.
    """

    def predict(self, images: Tensor) -> Tensor:
        logits = super().predict(images).log()[:, :, None, None]
        return (logits * (1 + images[:, :1])).softmax(1)


@dataclass(frozen=True)
class FakeStream:
    """Items of images `(N, 3, H, W)`, or of as many scenes `(3, H, W)`; `every` is what one place counts for in ids."""

    images: Tensor | Sequence[Tensor]
    wanted: Tensor
    batch_size: int = 16
    every: int = 1
    side: int | None = None

    def __len__(self) -> int:
        return len(self.wanted)

    def ids(self) -> Tensor:
        return self.wanted

    def batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        for ids in self.wanted.split(self.batch_size) if len(self) else ():
            if isinstance(self.images, Tensor):
                yield ids, self.images[ids // self.every]
            else:
                yield from self._runs(ids.tolist())

    def _runs(self, ids: list[int]) -> Iterator[tuple[Tensor, Tensor]]:
        """Scenes of one size at a time."""
        for _, run in groupby(ids, lambda item: self._scene(item).shape):
            items = list(run)
            yield torch.tensor(items), torch.stack([self._scene(item) for item in items])

    def _scene(self, item: int) -> Tensor:
        scene = self.images[item // self.every]
        return scene if self.side is None else gathered(scene, resize(scene[0], self.side))

    def some(self, places: Tensor) -> "FakeStream":
        return replace(self, wanted=self.wanted[places])

    def whole(self, side: int) -> "FakeStream":
        return self if isinstance(self.images, Tensor) else replace(self, side=side)


@dataclass
class FakeView:
    """A round's view of `images`, float32 in [0, 1], of which some places are labelled or held out.

    Images are one tensor for classes, and scenes of any sizes for masks. The id of the image at a place is
    `place * every`: ids are not places in the unlabelled pool, nor in the tensor.
    """

    images: Any
    labelled_places: Sequence[int]
    held_out_places: Sequence[int] = ()
    seed: int = 0
    batch_size: int = 16
    every: int = 3
    learner: FakeLearner = field(default_factory=FakeLearner)
    checkpoint: Checkpoint | None = None
    rng: torch.Generator = field(init=False)

    def __post_init__(self) -> None:
        self.rng = generator(self.seed, "select")

    @property
    def labelled(self) -> FakeStream:
        return self._stream(sorted(self.labelled_places))

    @property
    def held_out(self) -> FakeStream:
        return self._stream(sorted(self.held_out_places))

    @property
    def pending(self) -> FakeStream:
        return self._stream([])

    @property
    def unlabelled(self) -> FakeStream:
        known = {*self.labelled_places, *self.held_out_places}
        return self._stream([place for place in range(len(self.images)) if place not in known])

    def _stream(self, places: list[int]) -> FakeStream:
        ids = torch.tensor(places, dtype=torch.int64) * self.every
        return FakeStream(self.images, ids, self.batch_size, self.every)

    def of_pool(
        self, name: str, make: Callable[[FakeStream, torch.Generator], Iterator[Tensor]]
    ) -> NDArray[np.float32]:
        """Vectors by item id, made anew each time; no item's are where there is no such id."""
        pool = self._stream(list(range(len(self.images))))
        vectors = torch.cat(list(make(pool, generator(self.seed, "vectors", name))))
        rows = np.full((len(pool) * self.every, vectors.shape[1]), np.nan, dtype=np.float32)
        rows[pool.ids().numpy()] = vectors.cpu().numpy()
        return rows

    def draw(self, step: int, size: int, side: int = 8) -> Batch:
        """Batch number `step` of the training pools, with replacement; all labels are class 0.

        Scenes are resized into squares of `side` pixels.
        """
        halves = []
        for name, stream in (("labelled", self.labelled), ("unlabelled", self.unlabelled)):
            drawn = torch.randint(len(stream), (size,), generator=generator(self.seed, name, step))
            part = replace(stream.whole(side), wanted=stream.ids()[drawn], batch_size=size)
            halves += [images for _, images in part.batches()]
        shape = (size,) if isinstance(self.images, Tensor) else (size, side, side)
        return Batch(halves[0], torch.zeros(shape, dtype=torch.int64), halves[1])


def train_auxiliary(
    strategy: Strategy,
    view: FakeView,
    *,
    batch_size: int = 16,
    start: int = 0,
    steps: int | None = None,
    precision: str = "fp32",
) -> Strategy:
    """Trains a strategy's own networks as a fit does, without a task model; returns it.

    From `start` > 0 it goes on where it was: `begin` and `load_state` are the caller's.
    """
    devices = Devices("bf16" if precision == "bf16" else "fp32")
    with isolated():
        if not start:
            torch.manual_seed(derive(view.seed, "begin"))
            strategy.begin(devices, view.draw(0, batch_size, strategy.working_size))
        last = strategy.joint_steps if steps is None else min(strategy.joint_steps, start + steps)
        for step in range(start, last):
            torch.manual_seed(derive(view.seed, "companion", step))
            batch = view.draw(step, batch_size, strategy.working_size)
            strategy.train_step(batch, lambda: view.draw(-1, batch_size, strategy.working_size))
    return strategy


def blobs(count: int = 48, size: int = 8, seed: int = 0) -> Tensor:
    """Images `(count, 3, size, size)` in [0, 1]: noise whose brightness and colour rise along the pool."""
    noise = torch.rand(count, 3, size, size, generator=generator(seed, "blobs"))
    ramp = torch.linspace(0, 1, count)[:, None] * torch.tensor([1.0, 0.5, 0.2])
    return 0.3 * noise + 0.7 * ramp[:, :, None, None]


def scenes(count: int = 48, size: int = 8, seed: int = 0) -> list[Tensor]:
    """The blobs as scenes of two sizes in turns of five: squares, and what is left of others without their top."""
    return [image[:, size // 4 * (at // 5 % 2) :] for at, image in enumerate(blobs(count, size, seed))]
