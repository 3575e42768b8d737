"""Whether what is asked of a campaign's networks can be done, and with the memory there is: told before training."""

import os
from pathlib import Path

import torch
from torch import Tensor, nn

from pickwell import models, strategies
from pickwell.accelerators import has_bf16
from pickwell.config import NO_ENCODER, Settings
from pickwell.errors import SettingsError
from pickwell.learner.learner import REMEDY
from pickwell.learner.task_learning import TaskLearning
from pickwell.models import Network
from pickwell.strategies import Strategy, settings_of

SHARE = 0.8
"""The share of the memory that training may need; the images, VAAL's networks and other programs need some too."""

WEIGHT_BYTES = 16
"""A weight, its gradient and Adam's two moments, each float32."""

GIB = 1 << 30
LOGISTIC = "logistic"
"""The head that learns classes alone."""


def check_ability(learning: TaskLearning, settings: Settings, strategy: Strategy) -> None:
    """Refuses a model that has no dropout for a strategy that samples by it."""
    # The members of a committee differ by themselves: their samples need no dropout.
    if strategy.needs_dropout and strategy.committee == 1 and not learning.sketch(settings).has_dropout:
        raise SettingsError(
            f"{strategies.name_of(strategy)} asks for dropout passes, and {settings.model.name} has no dropout layer; "
            f"{REMEDY}"
        )


def check_vectors(learning: TaskLearning, settings: Settings, strategy: Strategy) -> None:
    """Refuses a task, a model or a strategy that looks at images where the pool holds vectors in their place."""
    chosen, taken = settings.model.name, models.available_vectors()
    if not learning.head:
        raise SettingsError(
            f"{settings.task.kind} is learnt from pixels, and encoder '{settings.encoder}' leaves one vector an image; "
            f'set training.finetune = true, or encoder = "{NO_ENCODER}"'
        )
    if learning.head != LOGISTIC:  # what it learns are no classes
        taken.remove(LOGISTIC)
    if chosen not in taken:
        raise SettingsError(
            f"model.name is '{chosen}', but the pool holds vectors in place of images; set it to {' or '.join(taken)}"
        )
    if strategy.needs_images:
        remedy = 'set its representation = "features"' if "representation" in settings_of(strategy) else "leave it out"
        raise SettingsError(
            f"{strategies.name_of(strategy)} looks at images, but the pool holds vectors in their place; {remedy}"
        )


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
