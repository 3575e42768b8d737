"""VAAL's networks on vectors: these are known only once the task model is, so the networks learn within `select`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from pickwell.learner.checkpoints import Checkpoint, named, under
from pickwell.learner.generators import chance, isolated, set_chance
from pickwell.strategies.strategy import RoundView
from pickwell.strategies.vaal.representations import Pools, Vectors
from pickwell.strategies.vaal.vae_and_discriminator import Pair
from pickwell.strategies.vaal.vector_tables import Table


@dataclass
class OnVectors:
    """A pair that is made anew for every query, of which the query's checkpoint is kept."""

    vectors: Vectors
    device: torch.device
    build: Callable[[int], Pair]
    """Makes a fresh pair for vectors of so many features."""
    steps: int
    batch: int
    pair: Pair | None = None

    def pools(self, view: RoundView) -> Pools[Table]:
        """The pools as vectors, on which the pair is built and trained now; a killed query's training goes on."""
        pools = self.vectors(view, self.device)
        with isolated():
            torch.manual_seed(int(torch.randint(2**62, (), generator=view.rng)))
            self.pair = self.build(pools.unlabelled.rows.shape[1])
            self._train(self.pair, pools, view.checkpoint)
        return pools

    def _train(self, pair: Pair, pools: Pools[Table], checkpoint: Checkpoint | None) -> None:
        start, tensors = checkpoint.load() if checkpoint else (0, {})
        if start:
            pair.load_state(under("pair", tensors))
            set_chance(under("chance", tensors))
        for step in range(start, self.steps):
            pair.training_step(self._drawn(pools.labelled), self._drawn(pools.unlabelled))
            if checkpoint and checkpoint.due and step + 1 < self.steps:
                checkpoint.save(step + 1, named("pair", pair.state()) | named("chance", chance()))

    def _drawn(self, table: Table) -> Tensor:
        """A batch of vectors, drawn with replacement."""
        return table.take(torch.randint(len(table), (self.batch,)))

    def state(self) -> dict[str, Tensor]:
        """Nothing: a fit comes before there are vectors."""
        return {}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Does nothing."""
