"""The loop over rounds, once: ask, answer, learn, measure; a run that was killed goes on with the same picks."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pickwell.data.pool import Pool
from pickwell.items import Label, Metrics, Round
from pickwell.oracle import Oracle
from pickwell.store import Details, Store, Told
from pickwell.strategies import Strategy

logger = logging.getLogger("pickwell")


class Runnable(Protocol):
    """What the loop needs of a campaign."""

    store: Store
    pool: Pool

    def unlabelled(self) -> NDArray[np.int64]: ...
    def fit(self, strategy: str | Strategy | None = None, *, asking: bool = True, **settings: Any) -> Metrics: ...
    def ask(self, budget: int, strategy: str | Strategy | None = None, **settings: Any) -> Round: ...
    def tell(self, labels: Sequence[Label], *, source: str) -> Told: ...


@dataclass(frozen=True)
class RoundEnd:
    """A round, answered and learnt from. The first of a run may have no round: what the labels at hand have given."""

    metrics: Metrics
    round: Round | None = None
    details: Details | None = None


Callback = Callable[[RoundEnd], bool | None]
"""Called at the end of each round; True ends the run there."""


def run(
    campaign: Runnable,
    oracle: Oracle,
    budget: int,
    *,
    rounds: int,
    strategy: str | Strategy | None = None,
    settings: Mapping[str, Any] | None = None,
    callbacks: Sequence[Callback] = (),
    final: bool = False,
) -> Metrics:
    """Algorithm 2, repeated: asks, lets the oracle answer, learns; returns the last fit's metrics.

    An open round is the first of the `rounds`. Where fewer than `budget` images are left a round takes these, and where
    none is left the run ends; both are logged. With `final` nothing is asked afterwards: the fit after the last round
    leaves a strategy's own networks out.
    """

    def learnt(done: int) -> Metrics:
        return campaign.fit(strategy, asking=not (final and done == rounds), **settings or {})

    done, end = 0, None if rounds and _asks_first(campaign) else RoundEnd(learnt(0))
    while end is None or not (_is_stopped(callbacks, end) or done == rounds):
        left = _left(campaign)
        if end and not left:
            logger.warning("no image is left to ask for: the run ends after %d of %d rounds", done, rounds)
            break
        question = campaign.ask(min(budget, left or budget), strategy, **settings or {})
        if left < budget:
            logger.warning("only %d images are left: this round asks for all of them instead of %d", left, budget)
        answers = oracle.answer([campaign.pool.item(pick.item) for pick in question.undecided])
        # A person's labels have gone to the store already.
        if answers:
            campaign.tell(answers, source=type(oracle).__name__.lower())
        done += 1
        end = RoundEnd(learnt(done), question, campaign.store.details(question.number))
    return end.metrics


def _is_stopped(callbacks: Sequence[Callback], end: RoundEnd) -> bool:
    said = [told(end) for told in callbacks]  # each is told, also after one that ends the run
    return any(said)


def _asks_first(campaign: Runnable) -> bool:
    """Whether a question is open, or nothing is labelled yet to learn from."""
    return campaign.store.current() is not None or not len(campaign.store.labels().part(held_out=False)[0])


def _left(campaign: Runnable) -> int:
    """How many images can be asked for, those of an open round among them: asked again they are the same question."""
    question = campaign.store.current()
    return len(campaign.unlabelled()) + (len(question.picks) if question else 0)


def after_labels(count: int) -> Callback:
    """Ends a run once so many labels are paid for."""
    return lambda end: end.metrics.labels >= count


def after_seconds(seconds: float, clock: Callable[[], float] = time.monotonic) -> Callback:
    """Ends a run with the round during which the time has passed."""
    began = clock()
    return lambda end: clock() - began >= seconds
