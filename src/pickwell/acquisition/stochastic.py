"""Draws weighted by score: top-b batches are full of near-duplicates, and a little chance takes them apart.

Kirsch et al.: Stochastic Batch Acquisition, TMLR 2023. The b largest of score + Gumbel noise are a draw of b items
without replacement, weighted by exp(score).
"""

from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from pickwell.errors import SettingsError

Picking = Literal["top", "power", "softmax", "softrank"]
PICKINGS: tuple[str, ...] = get_args(Picking)
TINY = float(np.finfo(np.float64).tiny)
APART = 64.0
"""More than what the noise of two items can differ by."""


def gumbel(seed: int, ids: Tensor) -> Tensor:
    """Standard Gumbel noise of items `(N,)`, float64: each item's own, whatever it is asked together with.

    >>> bool(gumbel(1, torch.tensor([7, 8]))[1] == gumbel(1, torch.tensor([8]))[0])
    True
    """
    with np.errstate(over="ignore"):
        key = _mixed(ids.cpu().numpy().astype(np.uint64) + _mixed(np.array([seed], dtype=np.uint64)))
    # 53 bits, and half a step away from 0 and 1: both logarithms are finite.
    uniform = ((key >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
    return torch.from_numpy(-np.log(-np.log(uniform)))


def _mixed(state: np.ndarray[tuple[int, ...], np.dtype[np.uint64]]) -> np.ndarray[tuple[int, ...], np.dtype[np.uint64]]:
    """SplitMix64's output function of (state + its increment)."""
    word = state + np.uint64(0x9E3779B97F4A7C15)
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))


def perturbed(ids: Tensor, scores: Tensor, picking: Picking, sharpness: float, seed: int) -> Tensor:
    """What to rank items by, float64 `(N,)`, so that the first ones are a draw weighted by their scores.

    `top`: the scores themselves, no chance. `power`: the weight is score^sharpness, `softmax`: exp(sharpness x score).
    Of no weight are scores of 0: they come last, and at random. `softrank`: rank^-sharpness, for which `scores` must be
    the whole pool's; ties in it go to the lower id.
    """
    scores = scores.double().cpu()
    if picking == "top":
        return scores
    if picking == "softmax":
        return sharpness * scores + gumbel(seed, ids)
    if picking == "softrank":
        by_id = ids.cpu().argsort()
        order = by_id[scores[by_id].argsort(descending=True, stable=True)]
        rank = torch.empty_like(scores)
        rank[order] = torch.arange(1, len(order) + 1, dtype=torch.float64)
        return -sharpness * rank.log() + gumbel(seed, ids)
    if (scores < 0).any():
        raise SettingsError(
            f"strategy.picking is 'power', but item {int(ids[int(scores.argmin())])} has the score "
            f"{float(scores.min()):g}; powers need scores of at least 0: choose softmax or softrank"
        )
    weight = sharpness * scores.clamp(min=TINY).log()
    return torch.where(scores > 0, weight, weight - APART) + gumbel(seed, ids)
