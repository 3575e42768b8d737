"""Cells: experiment x method x seed x variant, each named by all that can change its numbers."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pickwell import strategies
from pickwell.errors import SettingsError, unknown
from pickwell.experiments.code_hash import pools_digest, run_digest, strategy_digest
from pickwell.experiments.experiment import COMMON, FULL, Experiment
from pickwell.learner import Devices
from pickwell.learner.training import steps_for

HARMLESS = (*COMMON, "methods")
"""Entries of an experiment's file that may change without a new run: words, and which cells there are."""
STEM = re.compile(r".+\.s(\d+)\.[0-9a-f]{12}(?=\.)", re.ASCII)
"""The part of a cell's directory's name that does not depend on the code; its group is the seed."""
SHARED = 8
"""How many letters of a cell's code stand for what all cells share."""
LIBRARIES = ("torch", "numpy", "scikit-learn", "scipy", "pillow", "simplejpeg", "onnxruntime")
"""Those whose arithmetic, or decoding, goes into the numbers."""


@dataclass(frozen=True)
class Cell:
    """One run: `method` under `seed`; the variant's changes are in `experiment` already."""

    experiment: Experiment
    method: str
    seed: int
    variant: str = ""

    @property
    def chosen(self) -> dict[str, Any]:
        """The strategy's name and settings, as `campaign.toml` has them."""
        if self.method == FULL:
            # The reference labels everything at once and picks nothing, but a campaign wants a strategy all the same.
            return {"name": self.experiment.methods[self.experiment.baseline].get("strategy", self.experiment.baseline)}
        settings = dict(self.experiment.methods[self.method])
        return {"name": settings.pop("strategy", self.method), **settings}

    @property
    def rounds(self) -> int:
        """How many queries it makes."""
        return 0 if self.method == FULL else self.experiment.rounds.count

    @property
    def steps(self) -> int:
        """How many steps its task models take in all: what its time goes by, as long as no cell like it has run."""
        values, chosen = self.experiment, self.chosen
        labelled = [values.start.labels + n * values.rounds.budget for n in range(values.rounds.count + 1)]
        if self.method == FULL:  # how many images are left for a pool of size 0 is not known yet
            labelled = [values.data.train or labelled[-1]]
        training, members = values.training, strategies.create(chosen.pop("name"), chosen).committee
        fits = [steps_for(n, training.batch_size, training.epochs, training.min_steps) for n in labelled]
        return members * sum(fits)

    def facts(self) -> dict[str, Any]:
        """All settings that can change the numbers, defaults of the strategy included."""
        values = {key: value for key, value in self.experiment.dump().items() if key not in HARMLESS}
        values["training"] = self.experiment.training.telling
        chosen = self.chosen
        name = chosen.pop("name")
        settings = strategies.settings_of(strategies.create(name, chosen))
        full = self.method == FULL
        if full:  # variants of the budget share their reference
            values |= {"start": None, "rounds": None}
        return {**values, "strategy": {"name": name, **settings}, "seed": self.seed, "full": full}

    @property
    def key(self) -> str:
        """A hash of the facts."""
        return _digest(self.facts())

    @property
    def folder(self) -> str:
        """The name of its directory: readable, the facts' hash, and the code's."""
        return f"{self.stem}.{_code(self)}"

    @property
    def stem(self) -> str:
        """The part of the directory's name that does not depend on the code."""
        return f"{self.chosen['name']}.s{self.seed}.{self.key}"

    def __str__(self) -> str:
        return f"{self.method}{f' ({self.variant})' if self.variant else ''}, seed {self.seed}"


def grid(experiment: Experiment, methods: Sequence[str] = (), seeds: Sequence[int] = ()) -> list[Cell]:
    """The cells, each once, seed by seed: what is compared with one another comes out together."""
    for name in methods:
        if name not in (*experiment.methods, FULL):
            raise SettingsError(unknown("method", name, experiment.methods))
    named = dict.fromkeys(methods or [*experiment.methods, *([FULL] if experiment.reference else [])])
    variants = {name: experiment.variant(name) for name in (experiment.variants or {"": {}})}
    return [
        Cell(changed, method, seed, variant)
        for seed in dict.fromkeys(seeds or range(experiment.seeds))
        for variant, changed in variants.items()
        for method in named
        if method == FULL or method in changed.methods
    ]


def begun(root: Path) -> dict[str, int]:
    """The stems of the cells that were begun in `root`, by any version of the code, and their seeds."""
    return {found[0]: int(found[1]) for path in (root / "cells").glob("*") if (found := STEM.match(path.name))}


def known(experiment: Experiment, root: Path, methods: Sequence[str] = ()) -> list[Cell]:
    """The experiment's cells, or those of `methods` alone, and those of further seeds that were begun in `root`."""
    there = begun(root)
    seeds = {seed for seed in there.values() if seed >= experiment.seeds}
    further = grid(experiment, methods, sorted(seeds)) if seeds else []
    return [*grid(experiment, methods), *(cell for cell in further if cell.stem in there)]


def _code(cell: Cell) -> str:
    """Two hashes: of the code, the libraries and the arithmetic that all cells share, and of the strategy's own code.

    The first `SHARED` letters are the first: cells of a variant in which they are equal may be compared.
    """
    chosen = cell.experiment
    shared = [run_digest(chosen.task, chosen.model.name), pools_digest(chosen.data), *_machine()]
    return _digest(shared)[:SHARED] + _digest(strategy_digest(cell.chosen["name"]))[:4]


@cache
def _machine() -> tuple[dict[str, str], str, str]:
    """The libraries, and what "auto" means here; a precision that an experiment names is one of its settings."""
    devices = Devices("auto")
    return {name: version(name) for name in LIBRARIES}, devices.device.type, devices.precision


def _digest(facts: Any) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()[:12]


def finished(root: Path, cell: Cell, *, any_code: bool = False) -> Path | None:
    """The cell's result if it is finished; with `any_code` also one that other code made."""
    here = root / "cells" / cell.folder / "result.json"
    if here.exists():
        return here
    others = sorted((root / "cells").glob(f"{cell.stem}.*/result.json")) if any_code else []
    return others[-1] if others else None
