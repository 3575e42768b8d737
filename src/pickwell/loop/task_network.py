"""The task network that a campaign's settings describe."""

from pathlib import Path

import torch

from pickwell import models
from pickwell.config import Settings
from pickwell.models import Network


def task_network(settings: Settings, weights: str | Path | None = None, size: int | None = None) -> Network:
    """A fresh task network, or one with a file's weights; random: by torch's default generator.

    `size` is the images' side, or the length of vectors in place of images; the settings' image size unless given.
    """
    chosen, count = settings.model, len(settings.task.classes)
    if settings.task.kind == "segmentation":
        return models.load_dense(chosen.name, count, weights=weights, width=chosen.width)
    return models.load(chosen.name, count, image_size=size or chosen.image_size, weights=weights, width=chosen.width)


def sketch(settings: Settings) -> Network:
    """The task network without a number in it: what can be asked of it costs no memory."""
    with torch.device("meta"):
        return task_network(settings)
