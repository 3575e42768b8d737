"""Opening a round: what is held out, what the strategy picks, and what people are shown beside it."""

import logging
import time
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from pickwell import strategies
from pickwell.campaign.hints import Hints
from pickwell.campaign.maps import Maps
from pickwell.items import Round
from pickwell.learner import TaskLearner
from pickwell.learner.seeds import derive, generator
from pickwell.learner.stream import Stream
from pickwell.loop.fitting import Fit
from pickwell.loop.picking import interleave, slice_to_hold_out, versions
from pickwell.loop.pool_vectors import PoolVectors, digest
from pickwell.loop.suggestions import hints_of
from pickwell.loop.view import PoolStream, PoolView
from pickwell.store import Labels
from pickwell.strategies import Strategy

if TYPE_CHECKING:
    from pickwell.loop.campaign import Campaign

logger = logging.getLogger("pickwell")


def open_round(campaign: "Campaign", name: str, strategy: Strategy, budget: int, free: Tensor) -> Round:
    """Draws what is to be measured on, fits, lets the strategy pick among `free`, and opens the round."""
    settings, store = campaign.settings, campaign.store
    number, labels = store.next_number(), store.labels()
    seed = derive(settings.seed, "round", number)
    share, held = settings.validation.share, int(labels.held_out.sum())
    drawn = slice_to_hold_out(free, budget, share, held, len(labels), generator(seed, "validation"))
    fit = campaign.fitted(name, strategy, labels).fit if len(labels.part(held_out=False)[0]) else None
    fitted = time.perf_counter()
    chosen = fit.strategy if fit else strategy
    picks = chosen.select(_view(campaign, fit, drawn, free, labels, generator(seed, "strategy")), budget - len(drawn))
    logger.info("round %d, %s: %s", number, name, chosen.monitors())
    question = interleave(picks, drawn.tolist(), generator(seed, "ranks"))
    queried = time.perf_counter()
    _show(campaign, fit, chosen, number, [pick.item for pick in question], labels)
    seconds = {"fit": fit.seconds if fit else 0.0, "query": queried - fitted, "hints": time.perf_counter() - queried}
    # Last: a process that is killed before leaves nothing, and asking again makes the same round.
    return store.open_round(
        number=number,
        strategy=name,
        seed=seed,
        picks=question,
        settings=strategies.settings_of(chosen),
        versions=versions(),
        timings=seconds,
        monitors=chosen.monitors(),
        overlap=settings.serve.overlap,
    )


def _view(
    campaign: "Campaign", fit: Fit | None, drawn: Tensor, free: Tensor, labels: Labels, rng: torch.Generator
) -> PoolView:
    """What the strategy sees; `drawn` is held out already, and no longer among what it may pick."""

    def some(ids: Tensor) -> Stream:
        return PoolStream(campaign.images, ids, campaign.devices, campaign.progress)

    settings, pool, devices = campaign.settings, campaign.pool, campaign.devices
    return PoolView(
        # A first, random round has no model, and asks it nothing.
        learner=fit.learner if fit else TaskLearner((), devices),
        rng=rng,
        unlabelled=some(free[~torch.isin(free, drawn)]),
        labelled=some(torch.from_numpy(labels.part(held_out=False)[0])),
        held_out=some(torch.from_numpy(labels.part(held_out=True)[0])),
        pending=some(drawn),
        vectors=PoolVectors(
            campaign.directory.vectors,
            some(torch.arange(len(pool))),
            settings.seed,
            (digest(pool.manifest.path), settings.model.image_size, devices.device.type, versions()),
        ),
    )


def _show(
    campaign: "Campaign", fit: Fit | None, strategy: Strategy, number: int, items: list[int], labels: Labels
) -> None:
    """Writes down, before the round opens, what people are shown beside its picks."""
    folder, task = campaign.directory.rounds, campaign.task
    if fit:
        rng = generator(derive(campaign.settings.seed, "round", number), "hints")
        Hints(folder).write(number, hints_of(items, labels, task.suggested, fit.learner, campaign.stream, rng))
        campaign.learning.show(folder, number, items, fit.learner, campaign.stream)
    if found := strategy.projection():
        Maps(folder).write(number, found)
