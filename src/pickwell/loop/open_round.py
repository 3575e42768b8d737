"""Opening a round: what is held out, what the strategy picks, and what people are shown beside it."""

import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from pickwell import strategies
from pickwell.campaign.open_campaign import OpenCampaign
from pickwell.files import digest
from pickwell.items import Round
from pickwell.learner import TaskLearner
from pickwell.learner.checkpoints import Checkpoint, writing_networks
from pickwell.learner.generators import generator
from pickwell.learner.item_stream import Stream
from pickwell.learner.task_learning import learning_of
from pickwell.loop.fitting import Fit
from pickwell.loop.held_out import interleave, slice_to_hold_out, versions
from pickwell.loop.pool_vectors import PoolVectors
from pickwell.loop.pool_view import PoolStream, PoolView
from pickwell.loop.suggestions import hints_of
from pickwell.seeds import derive
from pickwell.store import Labels
from pickwell.strategies import Strategy

logger = logging.getLogger("pickwell")


def open_round(
    campaign: OpenCampaign,
    whole: PoolStream,
    fitted: Callable[[Labels], Fit],
    name: str,
    strategy: Strategy,
    budget: int,
    free: Tensor,
) -> Round:
    """Draws what to measure on, fits, lets the strategy pick from `free`, opens the round.

    Nothing but the `whole` is looked at: the images of the pool that can be read.
    """
    settings, store = campaign.settings, campaign.store
    number, labels = store.next_number(), store.labels()
    seed = derive(settings.seed, "round", number)
    share, held = settings.validation.share, int(labels.held_out.sum())
    sides = campaign.sides()
    may_be_held = torch.from_numpy(sides.may_be_held(free.numpy()))
    drawn = slice_to_hold_out(may_be_held, budget, share, held, len(labels), generator(seed, "validation"))
    unlabelled = torch.from_numpy(sides.may_be_learnt(free.numpy(), drawn.numpy()))
    if (short := budget - len(drawn) - len(unlabelled)) > 0:
        # What is left belongs to what is measured on: it is measured on, too.
        rest = free[~torch.isin(free, torch.cat((drawn, unlabelled)))]
        drawn = torch.cat((drawn, rest[:short])).sort().values
    seen = labels.only(whole.items.numpy())
    fit = fitted(labels) if len(seen.part(held_out=False)[0]) else None
    began = time.perf_counter()
    chosen = fit.strategy if fit else strategy
    view = _view(campaign, whole, fit, drawn, unlabelled, seen, seed)
    with writing_networks(campaign.directory.fits):
        picks = chosen.select(view, budget - len(drawn)) if len(drawn) < budget else []
    logger.info("round %d, %s: %s", number, name, chosen.monitors())
    question = interleave(picks, drawn.tolist(), generator(seed, "ranks"))
    queried = time.perf_counter()
    if fit:
        _show(campaign, whole, fit, number, [pick.item for pick in question], seen)
    if found := chosen.projection():
        campaign.maps.write(number, found)
    seconds = {"fit": fit.seconds if fit else 0.0, "query": queried - began, "hints": time.perf_counter() - queried}
    # Last: a process that is killed before leaves nothing, and asking again makes the same round.
    opened = store.open_round(
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
    if view.checkpoint:
        view.checkpoint.clear()
    return opened


def _checkpoint(campaign: OpenCampaign, fit: Fit, unlabelled: Tensor) -> Checkpoint:
    """Where the strategy may keep what it has reached; for a query of another fit or of other images it is empty."""
    among = hashlib.sha256(unlabelled.numpy().tobytes()).hexdigest()[:24]
    # Not named as finished fits are: of those only some are kept.
    path = campaign.directory.fits / "query.checkpoint"
    return Checkpoint(path, f"{fit.key} {among}", campaign.settings.training.checkpoint_seconds)


def _view(
    campaign: OpenCampaign,
    whole: PoolStream,
    fit: Fit | None,
    drawn: Tensor,
    unlabelled: Tensor,
    labels: Labels,
    seed: int,
) -> PoolView:
    """What the strategy sees: `drawn` is held out already, `unlabelled` is what it may pick."""
    some, settings = partial(replace, whole), campaign.settings
    facts = digest(campaign.pool.manifest.path), settings.model.image_size, whole.devices.device.type, versions()
    return PoolView(
        # A first, random round has no model, and asks it nothing.
        learner=fit.learner if fit else TaskLearner((), whole.devices),
        rng=generator(seed, "strategy"),
        unlabelled=some(items=unlabelled),
        labelled=some(items=torch.from_numpy(labels.part(held_out=False)[0])),
        held_out=some(items=torch.from_numpy(labels.part(held_out=True)[0])),
        pending=some(items=drawn),
        vectors=PoolVectors(campaign.directory.vectors, whole, len(campaign.pool), settings.seed, facts),
        checkpoint=_checkpoint(campaign, fit, unlabelled) if fit else None,
    )


def _show(campaign: OpenCampaign, whole: PoolStream, fit: Fit, number: int, items: list[int], labels: Labels) -> None:
    """Writes down, before the round opens, what people are shown beside its picks."""

    def some(ids: Tensor) -> Stream:
        return replace(whole, items=ids, progress=None)

    rng = generator(derive(campaign.settings.seed, "round", number), "hints")
    campaign.hints.write(number, hints_of(items, labels, campaign.task.suggested, fit.learner, some, rng))
    learning_of(campaign.task).show(campaign.directory.rounds, number, items, fit.learner, some)
