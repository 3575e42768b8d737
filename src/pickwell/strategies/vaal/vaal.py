"""VAAL: a VAE and a discriminator learn together which images look unlabelled (Algorithms 1 and 2)."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from pickwell.acquisition.projection import Projection
from pickwell.acquisition.streaming import TopB, check_budget
from pickwell.items import Pick
from pickwell.learner import Batch, Devices
from pickwell.strategies.strategy import RoundView, Strategy, among, require
from pickwell.strategies.vaal.losses import OBSERVATIONS
from pickwell.strategies.vaal.monitors import BLIND, COLLAPSED, SATURATED
from pickwell.strategies.vaal.networks import (
    PAPER_WIDTHS,
    SMALL_WIDTHS,
    VAE,
    Discriminator,
    FeatureVAE,
    VariationalAutoencoder,
)
from pickwell.strategies.vaal.on_pixels import OnPixels
from pickwell.strategies.vaal.on_vectors import OnVectors
from pickwell.strategies.vaal.pool_scorer import PoolScorer
from pickwell.strategies.vaal.representations import VECTORS
from pickwell.strategies.vaal.vae_and_discriminator import Objective, Pair


def paper_size(latent: int = 32) -> dict[str, Any]:
    """The settings that make the networks as large as the paper's: `VAAL(**paper_size())`."""
    return {"widths": PAPER_WIDTHS, "latent": latent}


@dataclass(kw_only=True)
class VAAL(Strategy):
    """Queries the images whose latents D is surest are unlabelled; the score is 1 - D(mu).

    Use when: the labelled images lack something of the pool, as a class absent at first; picks need no task model.
    Source: Sinha, Ebrahimi and Darrell, ICCV 2019.

    With `representation="pixels"` (the paper) the VAE sees the training batches, beside the task model. With
    `"features"` it sees the task model's penultimate features, with `"patches"` features learnt from the pool's own
    patches without labels, with `"both"` the two side by side: vectors on which it is trained in `select`.

    Of images with masks the VAE sees the whole, resized into a square of `working_size` pixels whatever the aspect:
    small enough for a CPU, large enough for a street's cars and people to show (docs/paper.md).
    """

    pair: ClassVar[type[Pair]] = Pair
    """Which steps are taken."""
    consequences: ClassVar[Mapping[str, str]] = {
        COLLAPSED: "the picks follow little of what was learnt: lower strategy.beta, or check strategy.observation",
        SATURATED: "train fewer steps (strategy.steps)",
        BLIND: "the picks follow little of what was learnt: train more steps (strategy.steps), or label a first batch "
        "that differs from the pool",
    }
    """What becomes of the picks and what to do, by the kind of a monitor's warning."""
    # Paper: as long as the task model learns. With few labels D then knows them by heart (docs/paper.md).
    steps: int = 150
    # Paper: 32 for CIFAR, 64 for Caltech-256 and ImageNet, 128 for masks.
    latent: int = 32
    # Paper: 128-256-512-1024, which `paper_size` has. Ours: for a CPU.
    widths: tuple[int, ...] = SMALL_WIDTHS
    feature_width: int = 256
    # Authors' code: 512.
    discriminator_width: int = 256
    beta: float = 1.0
    lambda1: float = 1.0
    # Paper: 1 for CIFAR, 10 for Caltech-256 and ImageNet, 25 for masks.
    lambda2: float = 1.0
    # Paper: 5e-4 for CIFAR and Caltech-256, 1e-3 for masks.
    learning_rate: float = 5e-4
    discriminator_learning_rate: float = 5e-4
    # Paper: 0, the last weights score. Averaged ones hang less on the very step at which training stops.
    averaging: float = 0.98
    feature_batch: int = 64
    observation: Literal["calibrated", "unit", "released_code"] = "calibrated"
    representation: Literal["pixels", "features", "patches", "both"] = "pixels"
    working_size: int = 128
    _training: OnPixels | OnVectors | None = field(default=None, init=False, repr=False, compare=False)
    _report: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    _map: Projection | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("steps", "latent", "feature_width", "discriminator_width", "feature_batch"):
            require(name, getattr(self, name), getattr(self, name) >= 1, "a whole number of at least 1")
        require("widths", self.widths, bool(self.widths) and min(self.widths) >= 1, "one or more positive numbers")
        for name in ("beta", "lambda1", "lambda2"):
            require(name, getattr(self, name), 0 <= getattr(self, name) < math.inf, "a number of at least 0")
        for name in ("learning_rate", "discriminator_learning_rate"):
            require(name, getattr(self, name), 0 < getattr(self, name) < math.inf, "a number above 0")
        require("working_size", self.working_size, 8 <= self.working_size <= 2048, "8 to 2048 pixels")
        require("averaging", self.averaging, 0 <= self.averaging < 1, "a number of at least 0 and below 1")
        among("observation", self.observation, OBSERVATIONS)
        among("representation", self.representation, ("pixels", *VECTORS))

    @property
    def joint_steps(self) -> int:
        return self.steps if self._joint else 0

    @property
    def needs_images(self) -> bool:
        return self.representation != "features"

    def on_vectors(self) -> Strategy:
        # One that was chosen stays, and is refused where it looks at images.
        usual = type(self).representation
        return replace(self, representation="features") if self.representation == usual else self

    @property
    def _joint(self) -> bool:
        """Whether the pair learns beside the task model: otherwise its inputs are made by the trained task model."""
        return self.representation == "pixels"

    def begin(self, devices: Devices, sample: Batch) -> None:
        if self._joint:
            _, channels, height, width = sample.x_l.shape
            vae = VAE((height, width), self.latent, self.widths, channels)
            self._training = OnPixels(self._pair_of(vae, devices), self.working_size)
            return

        def build(features: int) -> Pair:
            return self._pair_of(FeatureVAE(features, self.latent, self.feature_width), devices)

        vectors = VECTORS[self.representation]
        self._training = OnVectors(vectors, devices.device, build, self.steps, self.feature_batch)

    def train_step(self, batch: Batch, draw: Callable[[], Batch]) -> Mapping[str, float]:
        return self.trained().training_step(batch.x_l, batch.x_u) if len(batch.x_u) else {}

    def select(self, view: RoundView, budget: int) -> list[Pick]:
        check_budget(budget, len(view.unlabelled))
        assert self._training, "begin() says where the networks run; call it first"
        pools = self._training.pools(view)
        scorer = PoolScorer(self.trained(), pools)
        picks = self.pick(scorer, budget)
        self._report = scorer.report()
        self._report["warnings"] = [
            f"{text}; {self.consequences[text.split(':')[0]]}" for text in self._report["warnings"]
        ]
        self._map = scorer.projection(torch.tensor([pick.item for pick in picks]))
        return picks

    def pick(self, scorer: PoolScorer, budget: int) -> list[Pick]:
        """Algorithm 2, line 1: the `budget` smallest D(z_U)."""
        best = TopB(budget)
        for ids, encoded in scorer.unlabelled():
            # Ranked by logits: 1 - D rounds to 1 long before they tie.
            best.update(ids, -encoded.logits)
        scores = best.scores().sigmoid().tolist()
        return [replace(pick, score=score) for pick, score in zip(best.picks(), scores, strict=True)]

    def state(self) -> dict[str, Tensor]:
        return self._training.state() if self._training else {}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        assert self._training, "begin() builds the networks; call it first"
        self._training.load_state(state)

    def monitors(self) -> dict[str, Any]:
        return self._report

    def projection(self) -> Projection | None:
        return self._map

    def trained(self) -> Pair:
        """The VAE and D, once `begin` has built them; on vectors, `select`."""
        assert self._training, "begin() builds the networks; call it first"
        assert self._training.pair, "on vectors select() builds the networks; call it first"
        return self._training.pair

    def _pair_of(self, vae: VariationalAutoencoder, devices: Devices) -> Pair:
        objective = Objective(
            beta=self.beta,
            lambda1=self.lambda1,
            lambda2=self.lambda2,
            observation=self.observation,
            learning_rate=self.learning_rate,
            discriminator_learning_rate=self.discriminator_learning_rate,
            averaging=self.averaging,
        )
        return self.pair(vae, Discriminator(self.latent, self.discriminator_width), objective, devices)
