"""The networks' functions against plain functional versions that read the same state dict."""

from collections.abc import Mapping

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from pickwell import models

State = Mapping[str, Tensor]
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def normalised(images: Tensor) -> Tensor:
    return torch.stack([(images[:, c] - MEAN[c]) / STD[c] for c in range(3)], 1)


def batch_norm(x: Tensor, s: State, name: str) -> Tensor:
    mean, var = s[f"{name}.running_mean"], s[f"{name}.running_var"]
    scale = s[f"{name}.weight"] / (var + 1e-5).sqrt()
    return x * scale[:, None, None] + (s[f"{name}.bias"] - mean * scale)[:, None, None]


def unit(x: Tensor, s: State, conv: str, norm: str, stride: int = 1, dilation: int = 1) -> Tensor:
    weight = s[f"{conv}.weight"]
    padding = dilation * (weight.shape[-1] - 1) // 2
    return batch_norm(F.conv2d(x, weight, None, stride, padding, dilation), s, norm)


def block(x: Tensor, s: State, name: str, stride: int = 1, dilation: int = 1, residual: bool = True) -> Tensor:
    if f"{name}.conv3.weight" in s:
        out = unit(x, s, f"{name}.conv1", f"{name}.bn1").relu()
        out = unit(out, s, f"{name}.conv2", f"{name}.bn2", stride, dilation).relu()
        out = unit(out, s, f"{name}.conv3", f"{name}.bn3")
    else:
        out = unit(x, s, f"{name}.conv1", f"{name}.bn1", stride, dilation).relu()
        out = unit(out, s, f"{name}.conv2", f"{name}.bn2", 1, dilation)
    if f"{name}.downsample.0.weight" in s:
        x = unit(x, s, f"{name}.downsample.0", f"{name}.downsample.1", stride)
    return (out + x if residual else out).relu()


def blocks(x: Tensor, s: State, name: str, stride: int = 1, dilation: int = 1) -> Tensor:
    number = 0
    while f"{name}.{number}.conv1.weight" in s:
        x = block(x, s, f"{name}.{number}", stride if number == 0 else 1, dilation)
        number += 1
    return x


def resnet18(x: Tensor, s: State, small: bool) -> Tensor:
    x = unit(x, s, "conv1", "bn1", 1 if small else 2).relu()
    x = x if small else F.max_pool2d(x, 3, 2, 1)
    for name, stride in (("layer1", 1), ("layer2", 2), ("layer3", 2), ("layer4", 2)):
        x = blocks(x, s, name, stride)
    return F.linear(F.adaptive_avg_pool2d(x, 1).flatten(1), s["fc.weight"], s["fc.bias"])


def vgg16(x: Tensor, s: State, norms: bool, small: bool) -> Tensor:
    place = 0
    for depth in (2, 2, 3, 3, 3):
        for _ in range(depth):
            x = F.conv2d(x, s[f"features.{place}.weight"], s[f"features.{place}.bias"], padding=1)
            x = (batch_norm(x, s, f"features.{place + 1}") if norms else x).relu()
            place += 3 if norms else 2
        x = F.max_pool2d(x, 2)
        place += 1
    if small:
        return F.linear(x.mean((2, 3)), s["classifier.1.weight"], s["classifier.1.bias"])
    x = F.adaptive_avg_pool2d(x, 7).flatten(1)
    for place in (0, 3, 6):
        x = F.linear(x, s[f"classifier.{place}.weight"], s[f"classifier.{place}.bias"])
        x = x if place == 6 else x.relu()
    return x


def drn_maps(x: Tensor, s: State) -> Tensor:
    c = "conv1.weight" in s
    x = unit(x, s, "conv1", "bn1").relu() if c else unit(x, s, "layer0.0", "layer0.1").relu()
    for name, stride in (("layer1", 1), ("layer2", 2)):
        x = block(x, s, f"{name}.0", stride) if c else unit(x, s, f"{name}.0", f"{name}.1", stride).relu()
    for name, stride, dilation in (("layer3", 2, 1), ("layer4", 2, 1), ("layer5", 1, 2), ("layer6", 1, 4)):
        x = blocks(x, s, name, stride, dilation)
    for name, dilation in (("layer7", 2), ("layer8", 1)):
        if c:
            x = block(x, s, f"{name}.0", 1, dilation, residual=False)
        else:
            x = unit(x, s, f"{name}.0", f"{name}.1", 1, dilation).relu()
    return x


def drn(x: Tensor, s: State) -> Tensor:
    maps = drn_maps(x, s)
    return F.conv2d(F.avg_pool2d(maps, maps.shape[-1]), s["fc.weight"], s["fc.bias"]).flatten(1)


def lively(network: models.Network) -> models.Network:
    """In eval mode, with batch norms and biases that are not the identity."""
    for name, value in network.state_dict().items():
        if name.endswith(("running_var", "bn1.weight")):
            value.uniform_(0.5, 1.5)
        elif name.endswith(("running_mean", "bias")):
            value.normal_(0, 0.1)
    return network.eval()


@pytest.mark.parametrize("size", [48, 72])
@pytest.mark.parametrize("name", ["vgg16", "vgg16_bn", "resnet18"])
def test_the_torchvision_networks(name: str, size: int) -> None:
    network = lively(models.load(name, 5, size, width=0.125))
    images = torch.rand(2, 3, size, size)
    state, x = network.state_dict(), normalised(images)
    if name == "resnet18":
        expected = resnet18(x, state, small=size == 48)
    else:
        expected = vgg16(x, state, norms=name == "vgg16_bn", small=size == 48)
    torch.testing.assert_close(network(images), expected, rtol=1e-4, atol=1e-5)
    assert expected.std() > 1e-4


@pytest.mark.parametrize("name", ["drn_c_26", "drn_d_22", "drn_d_38", "drn_d_54"])
def test_the_dilated_networks(name: str) -> None:
    network = lively(models.load(name, 5, 64, width=0.125))
    images = torch.rand(2, 3, 64, 64)
    expected = drn(normalised(images), network.state_dict())
    torch.testing.assert_close(network(images), expected, rtol=1e-4, atol=1e-4)
    assert expected.std() > 1e-3


def bilinear_kernel(classes: int) -> Tensor:
    """The fixed 16x16 kernel of the public segmentation head's transposed convolution."""
    line = 1 - (torch.arange(16) / 8 - 15 / 16).abs()
    return torch.outer(line, line).expand(classes, 1, 16, 16)


def test_a_dense_network_upsamples_like_the_public_one_but_for_the_border() -> None:
    network = lively(models.load_dense("drn_d_22", 3, width=0.125))
    images = torch.rand(1, 3, 48, 64)
    state = network.state_dict()
    scores = F.conv2d(drn_maps(normalised(images), state), state["fc.weight"], state["fc.bias"])
    assert scores.shape == (1, 3, 6, 8)
    public = F.conv_transpose2d(scores, bilinear_kernel(3), stride=8, padding=4, groups=3)
    inner = (..., slice(4, -4), slice(4, -4))
    torch.testing.assert_close(network(images)[inner], public[inner], rtol=1e-4, atol=1e-4)


def test_dense_logits_have_the_images_size_and_a_scale_of_eight() -> None:
    network = lively(models.load_dense("drn_c_26", 3, width=0.125))
    images = torch.rand(1, 3, 61, 83)
    out = network(images)
    assert out.shape == (1, 3, 61, 83)
    maps = network.trunk(images)
    assert maps.shape[-2:] == (8, 11)
    # The corner shared by four places of the map lies 8 pixels further for each place: the scale is 8, not 83 / 11.
    scores = F.conv2d(maps, network.state_dict()["fc.weight"], network.state_dict()["fc.bias"])
    for row, column in ((1, 1), (4, 5), (7, 10)):
        corner = out[..., 8 * row - 1 : 8 * row + 1, 8 * column - 1 : 8 * column + 1].mean((2, 3))
        four = scores[..., row - 1 : row + 1, column - 1 : column + 1].mean((2, 3))
        torch.testing.assert_close(corner, four, rtol=1e-4, atol=1e-4)
