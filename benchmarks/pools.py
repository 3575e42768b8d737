"""Real images in memory, and rounds over them, for the benchmarks: no campaign directory, the same strategies."""

import io
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch
from PIL import Image
from sklearn.datasets import load_digits
from torch import Tensor
from torch.nn import functional

from pickwell import models, strategies, tasks
from pickwell.config import TaskSettings, TrainingSettings
from pickwell.data.images import to_float
from pickwell.learner import Devices, Draws, TaskLearner
from pickwell.learner.seeds import derive, generator, isolated
from pickwell.learner.task_learning import learning_of
from pickwell.learner.training import Plan, Trainer, steps_for, train
from pickwell.strategies import Strategy

TRAINING = TrainingSettings()
"""What a user's campaign has where nothing is set: the paper's 100 epochs, batches of 64 and learning rate 5e-4."""


@dataclass(frozen=True)
class Labelled:
    """Images `(N, 3, H, W)` uint8 and classes `(N,)`."""

    pixels: Tensor
    classes: Tensor

    def __len__(self) -> int:
        return len(self.classes)

    def get(self, ids: Tensor) -> Tensor:
        return self.pixels[ids]

    def part(self, rows: Tensor) -> "Labelled":
        return Labelled(self.pixels[rows], self.classes[rows])


def digits() -> Labelled:
    """scikit-learn's 1,797 handwritten digits, 8x8 drawn at 16x16."""
    found = load_digits()
    grey = [Image.fromarray(np.rint(image * (255 / 16)).astype(np.uint8)) for image in found.images]
    large = np.stack([np.asarray(image.resize((16, 16), Image.Resampling.BILINEAR)) for image in grey])
    return Labelled(torch.from_numpy(large)[:, None].expand(-1, 3, -1, -1).contiguous(), torch.from_numpy(found.target))


def cifar10(split: str) -> Labelled:
    """Real CIFAR-10 (as JPEG of quality 75) from PICKWELL_DATA."""
    path = Path(os.environ.get("PICKWELL_DATA", "data")) / "cifar10" / f"{split}.parquet"
    if not path.exists():
        raise SystemExit(f"{path} is missing; set PICKWELL_DATA to a folder with cifar10/{split}.parquet")
    table = pq.read_table(path)
    images = (np.asarray(Image.open(io.BytesIO(row["bytes"].as_py())).convert("RGB")) for row in table["img"])
    pixels = torch.from_numpy(np.stack(list(images))).permute(0, 3, 1, 2).contiguous()
    return Labelled(pixels, torch.from_numpy(table["label"].to_numpy().copy()).long())


TILE = 36
"""Pixels a side of the street scenes' tiles, drawn at 32."""
SURFACES = {"sky": 0, "building": 1, "road": 3, "pavement": 4, "tree": 5, "fence": 7, "car": 8}
"""The classes of CamVid that fill most of a tile often enough, as its masks number them."""


def tiles(*splits: str) -> Labelled:
    """CamVid's street scenes cut to tiles, each of the class that fills more than half of it; 1,000 a class at most."""
    folder = Path(os.environ.get("PICKWELL_DATA", "data")) / "camvid"
    if not folder.is_dir():
        raise SystemExit(f"{folder} is missing; set PICKWELL_DATA to a folder with camvid/train and camvid/trainannot")
    pixels, shares = [], []
    for scene in (path for split in splits for path in sorted((folder / split).iterdir())):
        mask = np.asarray(Image.open(folder / f"{scene.parent.name}annot" / f"{scene.stem}.png"))
        pixels.append(_squares(np.asarray(Image.open(scene).convert("RGB"))))
        shares.append(np.stack([(_squares(mask) == code).mean((1, 2)) for code in SURFACES.values()], 1))
    share = torch.from_numpy(np.concatenate(shares))
    full = [(share[:, number] > 0.5).nonzero().squeeze(1) for number in range(len(SURFACES))]
    kept = [rows[torch.randperm(len(rows), generator=generator(0, "tiles"))[:1000]] for rows in full]
    found = torch.from_numpy(np.concatenate(pixels)).permute(0, 3, 1, 2)[torch.cat(kept)]
    small = functional.interpolate(found.float(), size=32, mode="bilinear", antialias=True).round().byte()
    return Labelled(small, torch.repeat_interleave(torch.tensor([len(rows) for rows in kept])))


def _squares(scene: np.ndarray) -> np.ndarray:
    """`(H, W, ...)` as whole tiles `(N, TILE, TILE, ...)`."""
    rows, columns = scene.shape[0] // TILE, scene.shape[1] // TILE
    cut = scene[: rows * TILE, : columns * TILE].reshape(rows, TILE, columns, TILE, *scene.shape[2:])
    return cut.swapaxes(1, 2).reshape(rows * columns, TILE, TILE, *scene.shape[2:])


@dataclass(frozen=True)
class Stream:
    images: Labelled
    items: Tensor
    devices: Devices

    def __len__(self) -> int:
        return len(self.items)

    def ids(self) -> Tensor:
        return self.items

    def batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        for ids in self.items.split(512) if len(self) else ():
            yield ids, to_float(self.devices.put(self.images.get(ids)))

    def whole(self, side: int) -> "Stream":
        return self


@dataclass(frozen=True)
class View:
    learner: TaskLearner
    rng: torch.Generator
    unlabelled: Stream
    labelled: Stream
    held_out: Stream
    pending: Stream
    images: "Labelled"
    seed: int
    kept: dict[str, np.ndarray]

    def of_pool(self, name: str, make: Callable[[Stream, torch.Generator], Iterator[Tensor]]) -> np.ndarray:
        if name not in self.kept:
            pool = Stream(self.images, torch.arange(len(self.images)), self.learner.devices)
            self.kept[name] = torch.cat(list(make(pool, generator(self.seed, "vectors", name)))).cpu().numpy()
        return self.kept[name]


@dataclass
class Effort:
    """A campaign in memory: the same training and the same strategies as `pickwell.Campaign`, without a store."""

    images: Labelled
    labelled: Tensor
    strategy: str
    settings: dict[str, object]
    seed: int
    epochs: int = TRAINING.epochs
    augmentation: str = "none"
    round: int = 0
    devices: Devices = field(default_factory=Devices)
    kept: dict[str, np.ndarray] = field(default_factory=dict)

    def fit(self) -> tuple[TaskLearner, Strategy]:
        """Algorithm 1 on what is labelled; the task model's seed is the same for every strategy."""
        strategy = strategies.create(self.strategy, self.settings)
        seed = derive(self.seed, "fit", self.round)
        steps = steps_for(len(self.labelled), TRAINING.batch_size, self.epochs)
        plan = Plan(steps, TRAINING.learning_rate, TRAINING.weight_decay, TRAINING.schedule, derive(seed, "draws"))
        draws = Draws(
            self.images,
            self.labelled,
            self.images.classes[self.labelled],
            self.rest(),
            TRAINING.batch_size,
            self.augmentation,
            plan.seed,
            self.devices,
        )
        with isolated():
            torch.manual_seed(derive(seed, "member", 0))
            size = self.images.pixels.shape[-1]
            network = self.devices.setup(models.load("small_cnn", 10, image_size=size))
            torch.manual_seed(derive(seed, "companion"))
            strategy.begin(self.devices, draws.draw(0, both=True))
        task = learning_of(tasks.named("classification")(TaskSettings(classes=tuple(map(str, range(10)))), Path()))
        train([Trainer(network, task, plan, self.devices)], strategy, draws, plan)
        return TaskLearner([network], self.devices), strategy

    def rest(self) -> Tensor:
        free = torch.ones(len(self.images), dtype=torch.bool)
        free[self.labelled] = False
        return free.nonzero().squeeze(1)

    def query(self, learner: TaskLearner, strategy: Strategy, budget: int) -> list[int]:
        """Picks, without labelling them."""
        rng = generator(derive(self.seed, "round", self.round), "strategy")
        rest, labelled, none = (
            Stream(self.images, ids, self.devices) for ids in (self.rest(), self.labelled, self.labelled[:0])
        )
        view = View(learner, rng, rest, labelled, none, none, self.images, self.seed, self.kept)
        return [pick.item for pick in strategy.select(view, budget)]

    def tell(self, items: list[int]) -> None:
        """Labels items, and begins the next round."""
        self.labelled = torch.cat([self.labelled, torch.tensor(items)]).sort().values
        self.round += 1


def accuracy(learner: TaskLearner, test: Labelled) -> float:
    """The share of the test images classified right."""
    parts = torch.arange(len(test)).split(512)
    right = sum(
        int((learner.predict(to_float(learner.devices.put(test.get(p)))).argmax(1).cpu() == test.classes[p]).sum())
        for p in parts
    )
    return right / len(test)


def draw(among: Tensor, count: int, seed: int) -> Tensor:
    """`count` ids out of `among`, ascending, the same for every strategy under one seed."""
    return among[torch.randperm(len(among), generator=generator(seed, "first labels"))[:count]].sort().values
