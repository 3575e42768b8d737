"""An encoder of an EfficientNet-Lite's weights."""

from pathlib import Path

import torch
from torch import Tensor

from pickwell.accelerators import best_device
from pickwell.encoders.encoder import Encoder, Graph, digest
from pickwell.encoders.parts.lite_graph import OUTPUT, lite_graph
from pickwell.encoders.parts.modules import Module
from pickwell.encoders.parts.network_encoder import NetworkEncoder
from pickwell.encoders.parts.preprocessing import Square
from pickwell.encoders.parts.sessions import Session, opened
from pickwell.models.efficientnet_lite import VARIANTS, EfficientNetLite
from pickwell.models.network import Plan
from pickwell.models.weights import load_weights

CROP = 1.0
"""The largest square about the centre. Published: 224 / 256 of it, bicubic.

Logistic regression on 250 images (`python -m benchmarks.preprocessing`) reaches .799 on clothing and .638 on CIFAR-10
with the published square, .801 and .670 with this one, bilinear; with the whole image squeezed .772 and .670.
"""


def encoder(name: str, variant: str, path: Path, sha256: str, size: int) -> Encoder:
    """The variant that a weight file fills, on squares of `size` pixels."""
    with torch.random.fork_rng(devices=[]):  # fresh weights are drawn first; nobody else's chance is to move
        network = EfficientNetLite(VARIANTS[variant], Plan(num_classes=1000))
    load_weights(network, path)
    square = Square(size, CROP, "bilinear")
    run = _run(network, size)
    entrance = {"size": size, "crop": CROP, "interpolation": square.interpolation, "layout": "NHWC", "type": "uint8"}
    return NetworkEncoder(
        name, square, run, least=square.least, identity=digest(sha256, square, run.precision), licence="Apache-2.0",
        graph=lambda: Graph(lite_graph(network, size), OUTPUT, entrance),
    )  # fmt: skip


def _run(network: EfficientNetLite, size: int) -> Session | Module:
    if best_device().type == "cpu":  # images a CPU-second at 224 pixels: torch 29, onnxruntime 99 to 132
        return Session(opened(lite_graph(network, size)), OUTPUT)
    return Module(network, lambda images: network.embed(_scaled(images)))


def _scaled(images: Tensor) -> Tensor:
    """Bytes `(B, H, W, 3)` as floats `(B, 3, H, W)` in [0, 1], channels last."""
    return images.permute(0, 3, 1, 2).float() / 255
