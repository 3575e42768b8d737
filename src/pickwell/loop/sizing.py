"""Whether a campaign's networks can be trained at all with the memory there is."""

import os
from pathlib import Path

import torch
from torch import Tensor, nn

from pickwell import models
from pickwell.config import Settings
from pickwell.errors import SettingsError
from pickwell.learner.devices import has_bf16
from pickwell.learner.task_learning import TaskLearning
from pickwell.models import Network

SHARE = 0.8
"""The share of the memory that training may need; the images, VAAL's networks and other programs need some too."""

WEIGHT_BYTES = 16
"""A weight, its gradient and Adam's two moments, each float32."""

GIB = 1 << 30


def check_size(learning: TaskLearning, settings: Settings, committee: int) -> None:
    """Refuses networks that certainly need more memory than may be used; costs a few milliseconds and no memory."""
    # Vectors in place of images: their length is not known yet, and what learns them is small.
    if settings.model.name in models.available_vectors():
        return
    network, limit = learning.sketch(settings), SHARE * memory()
    weights = sum(parameter.numel() for parameter in network.parameters())
    training = settings.training
    # Bytes of a number kept for the way back.
    exact = 2 if training.precision == "bf16" or (training.precision == "auto" and has_bf16()) else 4
    kept = training.batch_size * activations(network, settings.model.image_size) * exact
    if (needed := committee * weights * WEIGHT_BYTES + kept) > limit:
        raise SettingsError(
            f"{settings.model.name} with model.width {settings.model.width:g} and model.image_size "
            f"{settings.model.image_size} needs at least {needed / GIB:,.1f} GiB to be trained in batches of "
            f"{training.batch_size} ({committee * weights / 1e6:,.0f} million weights); allowed are "
            f"{limit / GIB:,.1f} GiB, {SHARE:.0%} of the memory: choose a smaller model.width, model.image_size or "
            "training.batch_size"
        )


def activations(network: Network, image_size: int) -> int:
    """How many numbers of one image a step keeps at least until it goes back: what its weighted layers return."""
    counts: list[int] = []

    def count(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        counts.append(output.numel())

    hooks = [
        module.register_forward_hook(count)
        for module in network.modules()
        if next(module.parameters(recurse=False), None) is not None
    ]
    # On the meta device: shapes are worked out, and no number.
    network.eval()(torch.empty(1, 3, image_size, image_size, device="meta"))
    for hook in hooks:
        hook.remove()
    return sum(counts)


def memory() -> int:
    """The bytes of the accelerator's memory, else of this machine's, as far as this process may have them."""
    if torch.cuda.is_available():
        return int(torch.cuda.get_device_properties(0).total_memory)
    # Of the machine, though a container may have less.
    found = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = Path("/sys/fs/cgroup/memory.max")  # a container's, where there is one
    told = limit.read_text().strip() if limit.exists() else ""
    return min(found, int(told)) if told.isdecimal() else found
