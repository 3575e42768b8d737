"""What a person must see to trust a query: whether the latent space is alive and whether D knows anything."""

from typing import Any

import torch
from torch import Tensor

from pickwell.acquisition.running_moments import Moments
from pickwell.strategies.vaal.losses import kl_divergence
from pickwell.strategies.vaal.vae_and_discriminator import Encoded

ACTIVE_VARIANCE = 0.01
"""A latent unit is active if its mean varies over the pool by more than this (Burda et al. 2016)."""
BLIND_AUC = 0.55
SATURATED_AUC = 0.995
SATURATED_SHARE = 0.99
BINS = 20
COLLAPSED, SATURATED, BLIND = "VAE collapsed", "D saturated", "D blind"


class LatentMonitor:
    """What mu and its KL are over the pool, `(latent,)` each; memory does not grow with it."""

    def __init__(self) -> None:
        self.mu, self.kl = Moments(), Moments()

    def update(self, encoded: Encoded) -> None:
        """Takes in one batch."""
        self.mu.update(encoded.mu)
        self.kl.update(kl_divergence(encoded.mu, encoded.logvar))

    def active_units(self) -> int:
        """How many latent dimensions carry something about the image."""
        return int((self.mu.variance > ACTIVE_VARIANCE).sum())


def auc(positive: Tensor, negative: Tensor) -> float:
    """The probability that a value of `positive` exceeds one of `negative`, ties counting half.

    >>> auc(torch.tensor([2.0, 3.0]), torch.tensor([1.0, 2.0]))
    0.875
    """
    ordered = negative.sort().values
    below = torch.searchsorted(ordered, positive, side="left").double()
    up_to = torch.searchsorted(ordered, positive, side="right").double()
    return float((below + up_to).mean() / (2 * len(negative)))


def accuracy(labelled: Tensor, unlabelled: Tensor) -> float:
    """The share of logits on the right side of zero, both pools weighing the same."""
    return float(((labelled > 0).double().mean() + (unlabelled <= 0).double().mean()) / 2)


def report(latents: LatentMonitor, labelled: Tensor, unlabelled: Tensor, held_out: Tensor) -> dict[str, Any]:
    """Numbers, lists and `warnings` from the latents and the logits of the three pools; a pool may be empty.

    A warning says what was found, not what becomes of the picks: each strategy makes another use of D and the latents.

    `held_out` are labelled images that D never saw: on those it was trained on, D is judged on what it remembers.
    """
    values: dict[str, Any] = {
        "active_units": latents.active_units(),
        "latent_units": len(latents.mu.mean),
        "kl_per_unit": [round(value, 4) for value in latents.kl.mean.tolist()],
        "score_histogram": histogram(unlabelled),
    }
    for name, logits in (("", labelled), ("_held_out", held_out)):
        if len(logits):
            values[f"discriminator_auc{name}"] = auc(logits, unlabelled)
            values[f"discriminator_accuracy{name}"] = accuracy(logits, unlabelled)
            values[f"score_histogram{name or '_labelled'}"] = histogram(logits)
    values["warnings"] = warnings(values, unlabelled)
    return values


def histogram(logits: Tensor) -> list[int]:
    """How many images have a score 1 - D in each of 20 equal parts of [0, 1]."""
    return [int(count) for count in torch.histc(torch.sigmoid(-logits.double()), BINS, 0, 1)]


def warnings(values: dict[str, Any], unlabelled: Tensor) -> list[str]:
    """What the query can make nothing of, in plain words that begin with its kind."""
    found = []
    if values["active_units"] == 0:
        found.append(f"{COLLAPSED}: none of {values['latent_units']} latent units is active")
    separation = values.get("discriminator_auc")
    if separation is None:
        return found
    if separation > SATURATED_AUC and _share_at_one(unlabelled) > SATURATED_SHARE:
        found.append(
            f"{SATURATED}: it tells labelled from unlabelled perfectly (AUC {separation:.3f}) and gives every "
            "unlabelled image a score of 1.000"
        )
    if separation < BLIND_AUC:
        found.append(f"{BLIND}: it cannot tell labelled from unlabelled (AUC {separation:.2f})")
    return found


def _share_at_one(logits: Tensor) -> float:
    # What three digits show as 1.000.
    return float((torch.sigmoid(-logits.double()) > 0.9995).double().mean())
