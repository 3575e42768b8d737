"""The networks of PyTorch Image Models, with its own weights, preprocessing and cache.

Use when: a network of the last years' ImageNet leaders is wanted, DINOv2's and DINOv3's among them.
Source: Wightman 2019, timm.
"""

import math
from typing import Any

from pickwell.encoders.encoder import Encoder, Facts
from pickwell.encoders.parts import libraries


def facts() -> list[Facts]:
    """One row for all names."""
    return libraries.facts("timm:NAME", "a network of timm, or local-dir:FOLDER", "timm", "timm")


def load(name: str, **options: Any) -> Encoder:
    """The network that `timm.create_model` calls `name`, without its classifier; `options` are handed to that."""
    timm = libraries.imported("timm", "timm")
    command = f"python -c \"import timm; timm.create_model('{name}', pretrained=True)\""
    with libraries.loading(f"timm:{name}", command):
        network = timm.create_model(name, **{"pretrained": True, "num_classes": 0} | options)
        settings = timm.data.resolve_model_data_config(network)
        transform = timm.data.create_transform(**settings, is_training=False)
    least = math.ceil(max(settings["input_size"][1:]) / settings["crop_pct"])
    licence = network.pretrained_cfg.get("license") or ""
    return libraries.built(f"timm:{name}", network, network, transform, stated=transform, least=least, licence=licence)
