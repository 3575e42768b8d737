"""How unsure a model is: of one prediction, or of many posterior samples folded into running sums.

Probabilities are `(B, C, *spatial)`, what comes back is `(B, *spatial)`, high = unsure. Samples come one at a time and
are let go of: memory does not grow with their number.
"""

import math
from collections.abc import Callable, Iterable
from typing import Final, Literal, get_args

import torch
from torch import Tensor
from torch.special import entr

Fold = Callable[[Iterable[Tensor]], Tensor]
Reduction = Literal["mean", "max", "sum", "top"]
REDUCTIONS: tuple[str, ...] = get_args(Reduction)
TIE_BREAK = 2.0**-25
"""What breaking a tie may add to a score, in parts of one vote: less than the step from one float32 to the next."""


def entropy(probabilities: Tensor) -> Tensor:
    """-sum p log p over the classes, in nats.

    >>> entropy(torch.tensor([[0.5, 0.5], [1.0, 0.0]])).tolist()
    [0.6931471824645996, 0.0]
    """
    total: Tensor = entr(probabilities).sum(1)
    return total


def margin(probabilities: Tensor) -> Tensor:
    """1 - (the largest probability - the second largest); 0 where there is one class only.

    >>> margin(torch.tensor([[0.25, 0.5, 0.25]])).tolist()
    [0.75]
    """
    if probabilities.shape[1] == 1:
        return torch.zeros_like(probabilities[:, 0])
    first, second = probabilities.topk(2, dim=1).values.unbind(1)
    return 1 - (first - second)


def least_confidence(probabilities: Tensor) -> Tensor:
    """1 - the largest probability.

    >>> least_confidence(torch.tensor([[0.25, 0.5, 0.25]])).tolist()
    [0.5]
    """
    return 1 - probabilities.amax(1)


def predictive_entropy(samples: Iterable[Tensor]) -> Tensor:
    """The entropy of the samples' mean: the max-entropy rule of deep Bayesian active learning (Gal et al. 2017)."""
    _, (mean,) = _means(samples, _itself)
    return entropy(mean)


def bald(samples: Iterable[Tensor]) -> Tensor:
    """The mutual information of label and model: entropy of the mean - mean of the entropies (Houlsby et al. 2011)."""
    _, (mean, inside) = _means(samples, _itself, entropy)
    return (entropy(mean) - inside).clamp(min=0)


def mean_standard_deviation(samples: Iterable[Tensor]) -> Tensor:
    """The standard deviation of each class's probability over the samples, averaged over the classes.

    Welford's update: a difference of means of squares would show a deviation where all samples agree.
    """
    count, mean, squares = 0, torch.zeros(()), torch.zeros(())
    for count, sample in enumerate(samples, start=1):
        if count == 1:
            mean, squares = torch.zeros_like(sample), torch.zeros_like(sample)
        step = sample - mean
        # In place: of whole scenes, new memory for each sum would take longer than the sums.
        mean.add_(step / count)
        squares.add_(step.mul_(sample - mean))
    assert count, "no posterior samples"
    return squares.div_(count).clamp_(min=0).sqrt_().mean(1)


def variation_ratio(samples: Iterable[Tensor], *, break_ties: bool = False) -> Tensor:
    """The share of the samples that do not vote for the most voted class; each votes for its most probable one.

    With `break_ties`, equals are ordered by the entropy of the mean, by an addition below the steps of float32, which
    the scores otherwise are: it comes in float64 and changes no other order, a mean over pixels by less than 3e-8. Five
    voters know few scores, so that a budget ends amid a tie, and a pool listed class by class would then give all of
    the tied picks to its first class.
    """
    count, mean, shares = _votes(samples)
    ratio = 1 - shares.amax(1)
    return ratio.double() + _tie_break(mean, count) if break_ties else ratio


def vote_entropy(samples: Iterable[Tensor], *, break_ties: bool = False) -> Tensor:
    """The entropy of the votes, in nats (Dagan and Engelson 1995); `break_ties` as in `variation_ratio`."""
    count, mean, shares = _votes(samples)
    # In double precision, so that the same votes for other classes tie exactly.
    disagreement = entropy(shares.double()).float()
    return disagreement.double() + _tie_break(mean, count) if break_ties else disagreement


MEASURES: Final[dict[str, Fold]] = {
    "mean-std": mean_standard_deviation,
    "bald": bald,
    "variation-ratio": variation_ratio,
}


def reduced(scores: Tensor, rule: Reduction, *, share: float = 0.05) -> Tensor:
    """One score an image, `(B,)`, of per-pixel scores `(B, *spatial)`; scores `(B,)` come back as they are.

    `top` is the mean of the highest `share` of the pixels, at least one.

    >>> reduced(torch.tensor([[[0.0, 1.0], [0.5, 0.5]]]), "top", share=0.5).tolist()
    [0.75]
    """
    if scores.dim() == 1:
        return scores
    flat = scores.flatten(1)
    if rule == "max":
        return flat.amax(1)
    if rule == "top":
        flat = flat.topk(math.ceil(flat.shape[1] * share)).values
    total = flat.double().sum(1)
    return (total if rule == "sum" else total / flat.shape[1]).float()


def _means(samples: Iterable[Tensor], *statistics: Callable[[Tensor], Tensor]) -> tuple[int, list[Tensor]]:
    """The number of samples and the mean of each statistic over them; exact where all samples are equal."""
    count, means = 0, [torch.zeros(()) for _ in statistics]
    for count, sample in enumerate(samples, start=1):
        for place, of in enumerate(statistics):
            value = of(sample)
            means[place] = torch.zeros_like(value) if count == 1 else means[place]
            means[place].add_((value - means[place]).div_(count))
    assert count, "no posterior samples"
    return count, means


def _votes(samples: Iterable[Tensor]) -> tuple[int, Tensor, Tensor]:
    """The number of samples, their mean, and the share of the votes that each class has, all `(B, C, *spatial)`."""
    count, mean, votes = 0, torch.zeros(()), torch.zeros(())
    for count, sample in enumerate(samples, start=1):
        if count == 1:
            mean, votes = torch.zeros_like(sample), torch.zeros_like(sample)
        mean.add_((sample - mean).div_(count))
        # For the most probable class, of equals for the first. On maps `max` is four times as fast as `argmax`.
        winners = sample.max(1, keepdim=True).indices
        votes.scatter_add_(1, winners, torch.ones_like(winners, dtype=votes.dtype))
    assert count, "no posterior samples"
    # Who says what is not a number votes for a class all the same; that it is none must show.
    return count, mean, votes.div_(count).masked_fill_(mean.isnan(), torch.nan)


def _itself(sample: Tensor) -> Tensor:
    return sample


def _tie_break(mean: Tensor, count: int) -> Tensor:
    """The entropy of the mean, float64, scaled to at most `TIE_BREAK` of what one vote counts."""
    return entropy(mean).double() * (TIE_BREAK / count / max(math.log(mean.shape[1]), 1.0))
