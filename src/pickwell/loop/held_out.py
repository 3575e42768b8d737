"""What a question is made of: the strategy's picks and, among them, a random slice to measure on."""

from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version

import torch
from torch import Tensor

from pickwell.errors import RoundError
from pickwell.items import Pick, Round


def slice_to_hold_out(
    free: Tensor, budget: int, share: float, held: int, labelled: int, rng: torch.Generator
) -> Tensor:
    """The ids, ascending, that a round draws at random from the pool to measure on.

    As many as bring the held-out share of all labels to `share`, at most that share of this budget, rounded up: a
    budget of 4 a round thus holds out one image in some rounds, and none in others. Drawn from the pool, not from the
    strategy's picks, because picks are no fair sample of what the model will meet.
    """
    due = round(share * (labelled + budget)) - held
    # Rounded up, and never the whole budget: the strategy has one pick at least.
    count = max(0, min(due, -int(-share * budget // 1), budget - 1))
    return free[torch.randperm(len(free), generator=rng)[:count]].sort().values


def interleave(picks: Sequence[Pick], drawn: Sequence[int], rng: torch.Generator) -> list[Pick]:
    """The strategy's picks in their order, with the drawn items at random ranks: half a round holds half of both."""
    total = len(picks) + len(drawn)
    places = set(torch.randperm(total, generator=rng)[: len(drawn)].tolist())
    own, random = iter(picks), iter(drawn)
    return [
        Pick(next(random), rank + 1, 0.0, held_out=True) if rank in places else replace(next(own), rank=rank + 1)
        for rank in range(total)
    ]


def same_question(question: Round, budget: int, strategy: str | None, *, learnt: bool) -> Round:
    """The open round, if it is what is asked for; a RoundError if something else is."""
    asked = len(question.picks)
    # With nothing to learn from it was drawn at random, whatever strategy was asked for.
    other = learnt and strategy is not None and strategy != question.strategy
    if budget != asked or other:
        raise RoundError(
            f"round {question.number} ({question.strategy}, {asked} images) is still open with "
            f"{len(question.waiting)} unanswered; tell their labels, or close it (pickwell close), or ask the same"
        )
    return question


def versions() -> dict[str, str]:
    """The versions of what can change a result."""
    return {name: version(name) for name in ("pickwell", "torch", "numpy")}
