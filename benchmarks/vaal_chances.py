"""VAAL on an encoder's features, given every chance: `python -m benchmarks.vaal_chances`.

Each method is a choice of distances to cover by (or none: VAAL's own rule, the lowest D), of what an image weighs
in it, and of how VAE and D were trained. Vectors, first labels and head are those of the few-labels experiments; gains
are over random in the mean of a curve's points. Curves that are there already are not measured again.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from benchmarks.curve_file import CurveFile, compared, family, gain, told, write
from benchmarks.vector_campaign import VectorCampaign
from pickwell import strategies
from pickwell.acquisition.kernel_cover import kernel_bandwidth, kernel_cover
from pickwell.acquisition.uncertainty import margin
from pickwell.experiments.experiment import load
from pickwell.learner import Devices
from pickwell.learner.generators import generator, isolated
from pickwell.models.blocks import Linear
from pickwell.seeds import derive
from pickwell.strategies.vaal.networks import FeatureVAE
from pickwell.strategies.vaal.vaal import VAAL
from pickwell.strategies.vaal.vae_and_discriminator import Pair

RESULTS = Path(__file__).parents[1] / "results"
ROWS = 256
"""Rows that the encoder sees at once."""


@dataclass(frozen=True)
class Method:
    """A rule. `folds` above 1: D scores only rows that it was not trained on; `sees`: the latents learn the labels."""

    cover: str = ""
    """Distances between `features` or `latents`; "": no cover, the lowest D is picked."""
    d: bool = True
    unsure: bool = False
    vae: str = "vaal"
    """`vaal-no-vae`: D looks at the features themselves."""
    steps: int = 50
    latent: int = 32
    folds: int = 1
    sees: bool = False


METHODS = {
    "random": None,
    "maxherding": Method("features", d=False),
    "uherding": Method("features", d=False, unsure=True),
    "lowest D, 150 steps": Method(steps=150),
    "lowest D": Method(),
    "lowest D, held out": Method(folds=2),
    "lowest D, of the features": Method(vae="vaal-no-vae"),
    "lowest D, latents see labels": Method(sees=True),
    "latents x D": Method("latents"),
    "256 latents that see labels x unsure": Method("latents", d=False, unsure=True, latent=256, sees=True),
    "features x D x unsure": Method("features", unsure=True),
    "features x D held out x unsure": Method("features", unsure=True, folds=2),
}
REFERENCES = ("random", "maxherding", "uherding")
HUNDREDS = {
    "start.labels": 200, "start.absent": ("airplane", "dog", "ship"), "rounds.count": 2, "rounds.budget": 200,
}  # fmt: skip


SETS: dict[str, tuple[str, dict[str, Any]]] = {
    "clothing": ("clothing", {"rounds.count": 3, "rounds.budget": 40}),
    "cifar10": ("cifar10", {"rounds.count": 3, "rounds.budget": 40}),
    "clothing, three kinds absent": ("absent", {"rounds.count": 2, "rounds.budget": 40}),
    "cifar10, 200 a round, three absent": ("cifar10", HUNDREDS),
}
"""The experiments, and what is changed in them."""


@dataclass(frozen=True)
class Picker:
    """A method at work on a campaign under a seed."""

    campaign: VectorCampaign
    method: Method | None
    seed: int

    def __call__(self, labelled: Tensor, weight: Tensor, bias: Tensor, budget: int) -> Tensor:
        rows, chosen = self.campaign.rows, self.method
        free = torch.ones(len(rows), dtype=torch.bool)
        free[labelled] = False
        places = free.nonzero().squeeze(1)
        if chosen is None:
            rng = generator(self.seed, "random", len(labelled))
            return places[torch.randperm(len(places), generator=rng)[:budget]]
        # What is picked by neither D nor latents trains nothing.
        learns = chosen.d or chosen.cover == "latents"
        mu, logits = self.learnt(labelled, places) if learns else (rows, torch.zeros(len(rows)))
        if not chosen.cover:
            return places[logits[places].argsort(stable=True)[:budget]]
        amount = torch.sigmoid(-logits[places]) if chosen.d else torch.ones(len(places))
        if chosen.unsure:
            amount = amount * margin((rows[places] @ weight.T + bias).softmax(1))
        space = rows if chosen.cover == "features" else mu
        # The widths of `uherding`, and of `maxherding` and `vaal-diverse`.
        width = (0.7 if chosen.unsure else 1.0) * kernel_bandwidth(space[places], space[labelled], budget)
        return places[kernel_cover(space[places], space[labelled], budget, bandwidth=width, weight=amount)[0]]

    def learnt(self, labelled: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
        """Latents `(N, latent)` and D's logits `(N,)`; with folds each logit is of a D that has not seen the row."""
        assert self.method
        rows = self.campaign.rows
        inputs = (rows - rows.mean(0)) / rows.std(0).clamp_min(1e-6)
        folds = torch.randperm(len(rows), generator=generator(self.seed, "folds")) % self.method.folds
        logits = torch.empty(len(rows))
        for fold in range(self.method.folds):
            seen = folds != fold if self.method.folds > 1 else torch.ones(len(rows), dtype=torch.bool)
            pair = self.trained(inputs, labelled[seen[labelled]], places[seen[places]])
            encoded = list(map(pair.encoding(), inputs.split(ROWS)))
            mine = folds == fold
            logits[mine] = torch.cat([part.logits for part in encoded])[mine]
        return torch.cat([part.mu for part in encoded]), logits

    def trained(self, inputs: Tensor, labelled: Tensor, places: Tensor) -> Pair:
        """VAE and D after the method's steps, with VAAL's own settings elsewhere."""
        assert self.method
        settings = {"steps": self.method.steps, "latent": self.method.latent, "representation": "features"}
        vaal = strategies.create(self.method.vae, settings)
        assert isinstance(vaal, VAAL)
        with isolated():
            torch.manual_seed(derive(self.seed, "vaal", len(labelled)))
            vae = FeatureVAE(inputs.shape[1], vaal.latent, vaal.feature_width)
            pair = vaal._pair_of(vae, Devices())
            look = partial(_look, pair, *self._reader(pair)) if self.method.sees else None
            for _ in range(vaal.steps):
                known, unknown = (_drawn(pool, vaal.feature_batch) for pool in (labelled, places))
                if look:
                    look(inputs[known], self.campaign.targets[known])
                pair.training_step(inputs[known], inputs[unknown])
        return pair

    def _reader(self, pair: Pair) -> tuple[Linear, torch.optim.Adam]:
        """A layer that reads the classes off the latents, and what moves it and the encoder."""
        reader = Linear(pair.vae.encoder.mu.out_features, len(self.campaign.prepared.classes))
        return reader, torch.optim.Adam([*reader.parameters(), *pair.vae.encoder.parameters()], lr=1e-3)


def _drawn(pool: Tensor, count: int) -> Tensor:
    return pool[torch.randint(len(pool), (count,))]


def _look(pair: Pair, reader: Linear, optimiser: torch.optim.Adam, rows: Tensor, targets: Tensor) -> None:
    """One step towards latents off which the labels can be read."""
    loss = cross_entropy(reader(pair.vae.encode(rows)[0]), targets)
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    optimiser.step()


def campaign(name: str, root: Path) -> VectorCampaign:
    """The set's vectors and protocol."""
    experiment, changes = SETS[name]
    return VectorCampaign.of(load(f"few-labels-{experiment}")[1].changed(changes, where=name), root)


def judge(name: str, kept: CurveFile) -> Iterator[dict[str, Any]]:
    """Each method against random, maxherding and uherding: one family of tests a set."""
    found = kept.curves(name)
    pairs = [(method, other) for method in found for other in REFERENCES if method not in REFERENCES]
    tests = [compared(method, found[method], other, found[other]) for method, other in pairs]
    for one in family(tests):
        gained = round(gain(found[one.first], found["random"], found[one.first]), 2)
        who = {"set": name, "method": one.first, "gain": gained, "against": one.second}
        yield who | told(one)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=SETS)
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=METHODS)
    chosen = parser.parse_args()
    kept = CurveFile(RESULTS / "few-labels-vaal" / "curves.csv")
    campaigns = {name: campaign(name, kept.path.parent) for name in chosen.sets}
    for seed, name, method in product(range(chosen.seeds), chosen.sets, chosen.methods):
        if (name, method, seed) not in kept.done():
            picks = campaigns[name].curve(seed, Picker(campaigns[name], METHODS[method], seed))
            kept.add(name, method, seed, picks)
            print(seed, name, method, flush=True)
    judged = [row for name in SETS for row in judge(name, kept)]
    write(kept.path.with_name("pairs.csv"), judged)
    for row in judged:
        print(json.dumps(row))


if __name__ == "__main__":
    main()
