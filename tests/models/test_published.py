"""Parameter counts, names and shapes against the public checkpoints' facts."""

from collections.abc import Mapping

import pytest
import torch

from pickwell import models

COUNTS = {
    "vgg16_bn": (138_365_992, 97),
    "vgg16": (138_357_544, 32),
    "resnet18": (11_689_512, 122),
    "drn_d_22": (16_393_752, 152),
    "drn_c_26": (21_126_584, 182),
    "drn_d_38": (26_501_912, 248),
    "drn_d_54": (35_809_176, 344),
}
CONVOLUTIONS = {
    "vgg16_bn": (0, 3, 7, 10, 14, 17, 20, 24, 27, 30, 34, 37, 40),
    "vgg16": (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28),
}
VGG_CHANNELS = (3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)

Shapes = dict[str, tuple[int, ...]]


def shapes(network: models.Network) -> Shapes:
    return {name: tuple(value.shape) for name, value in network.state_dict().items()}


def meta(name: str, num_classes: int = 1000, image_size: int = 224) -> models.Network:
    with torch.device("meta"):
        return models.load(name, num_classes, image_size)


def norm(name: str, channels: int) -> Shapes:
    vectors = {f"{name}.{part}": (channels,) for part in ("weight", "bias", "running_mean", "running_var")}
    return vectors | {f"{name}.num_batches_tracked": ()}


def block(name: str, inputs: int, outputs: int) -> Shapes:
    found = {f"{name}.conv1.weight": (outputs, inputs, 3, 3)} | norm(f"{name}.bn1", outputs)
    found |= {f"{name}.conv2.weight": (outputs, outputs, 3, 3)} | norm(f"{name}.bn2", outputs)
    if inputs != outputs:
        found |= {f"{name}.downsample.0.weight": (outputs, inputs, 1, 1)} | norm(f"{name}.downsample.1", outputs)
    return found


def blocks(levels: Mapping[str, tuple[int, int, int]]) -> Shapes:
    found: Shapes = {}
    for name, (inputs, outputs, depth) in levels.items():
        for number in range(depth):
            found |= block(f"{name}.{number}", inputs if number == 0 else outputs, outputs)
    return found


@pytest.mark.parametrize("name", COUNTS)
def test_the_counts_of_the_public_checkpoints(name: str) -> None:
    network = meta(name)
    assert (sum(p.numel() for p in network.parameters()), len(network.state_dict())) == COUNTS[name]


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_vgg_names_and_shapes(name: str) -> None:
    expected: Shapes = {}
    for place, inputs, outputs in zip(CONVOLUTIONS[name], VGG_CHANNELS, VGG_CHANNELS[1:], strict=False):
        expected |= {f"features.{place}.weight": (outputs, inputs, 3, 3), f"features.{place}.bias": (outputs,)}
        expected |= norm(f"features.{place + 1}", outputs) if name == "vgg16_bn" else {}
    for place, inputs, outputs in ((0, 25088, 4096), (3, 4096, 4096), (6, 4096, 1000)):
        expected |= {f"classifier.{place}.weight": (outputs, inputs), f"classifier.{place}.bias": (outputs,)}
    assert shapes(meta(name)) == expected


def test_resnet18_names_and_shapes() -> None:
    levels = {"layer1": (64, 64, 2), "layer2": (64, 128, 2), "layer3": (128, 256, 2), "layer4": (256, 512, 2)}
    expected = {"conv1.weight": (64, 3, 7, 7)} | norm("bn1", 64) | blocks(levels)
    assert shapes(meta("resnet18")) == expected | {"fc.weight": (1000, 512), "fc.bias": (1000,)}


LEVELS_22 = {"layer3": (32, 64, 2), "layer4": (64, 128, 2), "layer5": (128, 256, 2), "layer6": (256, 512, 2)}
DRN_FC: Shapes = {"fc.weight": (1000, 512, 1, 1), "fc.bias": (1000,)}


def drn_d(levels: Mapping[str, tuple[int, int, int]]) -> Shapes:
    expected: Shapes = {}
    plain = (("layer0", 3, 16, 7), ("layer1", 16, 16, 3), ("layer2", 16, 32, 3), ("layer7", 512, 512, 3))
    for name, inputs, outputs, kernel in (*plain, ("layer8", 512, 512, 3)):
        expected |= {f"{name}.0.weight": (outputs, inputs, kernel, kernel)} | norm(f"{name}.1", outputs)
    return expected | blocks(levels) | DRN_FC


def test_drn_d_22_names_and_shapes() -> None:
    found = shapes(meta("drn_d_22"))
    assert found == drn_d(LEVELS_22)
    assert next(iter(found)) == "layer0.0.weight"
    assert list(found)[-1] == "fc.bias"


def test_drn_d_38_names_and_shapes() -> None:
    depths = {"layer3": 3, "layer4": 4, "layer5": 6, "layer6": 3}
    assert shapes(meta("drn_d_38")) == drn_d({name: (*LEVELS_22[name][:2], depth) for name, depth in depths.items()})


def test_drn_c_26_names_and_shapes() -> None:
    levels = {"layer1": (16, 16, 1), "layer2": (16, 32, 1)} | LEVELS_22
    levels |= {"layer7": (512, 512, 1), "layer8": (512, 512, 1)}
    assert shapes(meta("drn_c_26")) == {"conv1.weight": (16, 3, 7, 7)} | norm("bn1", 16) | blocks(levels) | DRN_FC


def test_drn_d_54_bottlenecks() -> None:
    found = shapes(meta("drn_d_54"))
    assert found["layer3.0.conv1.weight"] == (64, 32, 1, 1)
    assert found["layer3.0.conv2.weight"] == (64, 64, 3, 3)
    assert found["layer3.0.conv3.weight"] == (256, 64, 1, 1)
    assert found["layer3.0.downsample.0.weight"] == (256, 32, 1, 1)
    assert found["layer6.2.conv3.weight"] == (2048, 512, 1, 1)
    assert found["layer7.0.weight"] == (512, 2048, 3, 3)
    assert found["fc.weight"] == (1000, 512, 1, 1)


def test_a_dense_drn_has_the_classifiers_names() -> None:
    with torch.device("meta"):
        dense = models.load_dense("drn_d_22", 1000)
    assert shapes(dense) == shapes(meta("drn_d_22"))


def test_small_images_get_small_stems() -> None:
    resnet, vgg = shapes(meta("resnet18", 10, 32)), shapes(meta("vgg16_bn", 10, 32))
    assert resnet["conv1.weight"] == (64, 3, 3, 3)
    assert vgg["classifier.1.weight"] == (10, 512)
    assert "classifier.6.weight" not in vgg
    assert shapes(meta("resnet18", 10, 64))["conv1.weight"] == (64, 3, 3, 3)
    assert shapes(meta("resnet18", 10, 65))["conv1.weight"] == (64, 3, 7, 7)
    assert sum(p.numel() for p in meta("vgg16_bn", 10, 32).parameters()) == 14_728_266
    assert sum(p.numel() for p in meta("resnet18", 10, 32).parameters()) == 11_173_962
    assert sum(p.numel() for p in meta("small_cnn", 10, 32).parameters()) == 288_746
