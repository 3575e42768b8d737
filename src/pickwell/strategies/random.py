"""Uniform draws: the baseline that every other strategy must beat."""

from dataclasses import dataclass

import torch

from pickwell.acquisition.streaming import check_budget
from pickwell.items import Pick
from pickwell.strategies.strategy import RoundView, Strategy


@dataclass(kw_only=True)
class Random(Strategy):
    """Every unlabelled image is equally likely; none is drawn twice (without replacement).

    Use when: a baseline is needed: every other strategy must beat it. It also keeps the labelled set a fair sample.
    Source: simple random sampling.
    """

    def select(self, view: RoundView, budget: int) -> list[Pick]:
        ids = view.unlabelled.ids()
        check_budget(budget, len(ids))
        keys = torch.rand(len(ids), generator=view.rng, dtype=torch.float64)
        order = keys.argsort(descending=True, stable=True)[:budget]
        return [Pick(int(ids[at]), rank, float(keys[at])) for rank, at in enumerate(order.tolist(), start=1)]
