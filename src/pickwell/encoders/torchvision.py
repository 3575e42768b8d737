"""torchvision's classifiers with their default weights; the features are what their last linear layer is given.

Use when: a well-known network is to be compared with, such as ResNet-50.
Source: torchvision's model zoo.
"""

from typing import Any

from pickwell.encoders.encoder import Encoder, Facts
from pickwell.encoders.parts import libraries
from pickwell.errors import EncoderError


def facts() -> list[Facts]:
    """One row for all names."""
    return libraries.facts("torchvision:NAME", "a classifier of torchvision", "torchvision", "torchvision")


def load(name: str, weights: str = "DEFAULT") -> Encoder:
    """The classifier that torchvision calls `name`, with those of its weights, without its last linear layer."""
    models = libraries.imported("torchvision", "torchvision").models
    full = f"torchvision:{name}"
    command = f"python -c \"import torchvision; torchvision.models.get_model('{name}', weights='{weights}')\""
    with libraries.loading(full, command):
        chosen = models.get_model_weights(name)[weights]
        network = models.get_model(name, weights=chosen)
        transform = chosen.transforms()
    _without_classifier(network, full)
    return libraries.built(full, network, network, transform, stated=transform, least=max(transform.resize_size))


def _without_classifier(network: Any, name: str) -> None:
    from torch import nn

    found = [path for path, module in network.named_modules() if isinstance(module, nn.Linear)]
    if not found:
        raise EncoderError(f"{name} has no linear layer whose input would be its features; choose another network")
    network.set_submodule(found[-1], nn.Identity())
