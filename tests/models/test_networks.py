"""What every network promises: sizes, consistency of its parts, dropout, precision, gradients."""

import copy
import math
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from pickwell import models
from pickwell.errors import SettingsError
from pickwell.models import network as network_module

LITE = ["efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2"]
NAMES = ["drn_c_26", "drn_d_22", "drn_d_38", "drn_d_54", *LITE, "resnet18", "small_cnn", "vgg16", "vgg16_bn"]
DENSE = ["drn_c_26", "drn_d_22", "drn_d_38", "drn_d_54", *LITE]


def width(network: nn.Module) -> int:
    """How many features the last layer takes."""
    last = [module for module in network.modules() if isinstance(module, nn.Linear | nn.Conv2d)][-1]
    return last.weight.shape[1]


def narrow(name: str, size: int = 32, dropout: float | None = None) -> models.Network:
    return models.load(name, 4, size, width=0.125, dropout=dropout)


def test_the_names() -> None:
    assert models.available() == NAMES
    assert models.available_dense() == DENSE
    assert narrow("resnet18").name == "resnet18"


@pytest.mark.parametrize("size", [32, 72])
@pytest.mark.parametrize("name", NAMES)
def test_forward_is_the_head_of_the_embedding(name: str, size: int) -> None:
    network = narrow(name, size).eval()
    images = torch.rand(3, 3, size, size)
    embedding = network.embed(images)
    assert embedding.shape == (3, width(network))
    logits = network(images)
    assert logits.shape == (3, 4)
    assert logits.dtype == torch.float32
    torch.testing.assert_close(network.head(embedding), logits)
    torch.testing.assert_close(network.logits(network.trunk(images), images.shape[-2:]), logits)


@pytest.mark.parametrize("name", DENSE)
def test_a_dense_networks_embedding_is_its_averaged_last_map(name: str) -> None:
    network = models.load_dense(name, 4, width=0.125).eval()
    images = torch.rand(2, 3, 40, 56)
    maps = network.trunk(images)
    assert network(images).shape == (2, 4, 40, 56)
    assert maps.shape == (2, width(network), 40 // network.stride, 56 // network.stride)
    torch.testing.assert_close(network.embed(images), maps.flatten(2).mean(2))
    scores = getattr(network, "decoder", network).fc(maps)  # type: ignore[operator]
    torch.testing.assert_close(network.head(network.embed(images)), scores.mean((2, 3)))


def test_only_dense_networks_are_dense() -> None:
    assert models.load_dense("drn_d_22", 2, width=0.125).per_pixel
    assert not narrow("drn_d_22").per_pixel


@pytest.mark.parametrize("name", ["drn_d_22", "efficientnet_lite0"])
@pytest.mark.parametrize(("height", "width"), [(8, 8), (15, 31), (33, 64), (50, 7)])
def test_dense_networks_take_any_size(name: str, height: int, width: int) -> None:
    network = models.load_dense(name, 3, width=0.125).eval()
    images = torch.rand(1, 3, height, width)
    assert network(images).shape == (1, 3, height, width)
    stride = network.stride
    assert network.trunk(images).shape[-2:] == (math.ceil(height / stride), math.ceil(width / stride))


@pytest.mark.parametrize("size", [8, 16, 28, 31, 32, 48, 64, 65, 224])
@pytest.mark.parametrize("name", ["small_cnn", "resnet18", "vgg16_bn"])
def test_classifiers_take_every_size(name: str, size: int) -> None:
    network = narrow(name, size).eval()
    images = torch.rand(2, 3, size, size)
    out = network(images)
    assert out.shape == (2, 4)
    assert not torch.equal(out[0], out[1])


def test_the_input_is_normalised_inside() -> None:
    network = narrow("small_cnn").eval()
    mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1).expand(1, 3, 32, 32)
    assert network.maps(torch.zeros(1, 3, 32, 32)).equal(network.trunk(mean))
    assert {"mean", "std"} <= dict(network.named_buffers()).keys()
    assert not {"mean", "std"} & network.state_dict().keys()


def test_bytes_are_not_images() -> None:
    with pytest.raises(AssertionError, match=r"images are torch.uint8; a network takes floats in \[0, 1\]"):
        narrow("small_cnn")(torch.zeros(1, 3, 32, 32, dtype=torch.uint8))


@pytest.mark.parametrize("name", NAMES)
def test_an_images_logits_do_not_depend_on_its_batch(name: str) -> None:
    network = narrow(name).eval()
    images = torch.rand(5, 3, 32, 32)
    torch.testing.assert_close(network(images)[2:3], network(images[2:3]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dense", [False, True])
def test_the_gradient_reaches_every_parameter(name: str, dense: bool) -> None:
    if dense and name not in DENSE:
        return
    network = models.load_dense(name, 4, width=0.125) if dense else narrow(name)
    network(torch.rand(8, 3, 32, 32)).square().mean().backward()
    for entry, parameter in network.named_parameters():
        assert parameter.grad is not None, entry
        assert parameter.grad.isfinite().all(), entry
        # A bias before a batch norm has a gradient of 0.
        assert parameter.ndim == 1 or parameter.grad.abs().sum() > 0, entry


@pytest.mark.parametrize("name", NAMES)
def test_bfloat16_and_channels_last_keep_the_function(name: str) -> None:
    network = narrow(name).eval()
    images = torch.rand(4, 3, 32, 32)
    exact = network(images)
    fast = copy.deepcopy(network).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    last = images.to(memory_format=torch.channels_last)
    torch.testing.assert_close(fast(last), exact, rtol=1e-4, atol=1e-5)
    with torch.autocast("cpu", torch.bfloat16):
        rough = fast(last)
        assert fast.trunk(last).is_contiguous(memory_format=torch.channels_last)
    assert rough.dtype == torch.bfloat16
    torch.testing.assert_close(rough.float(), exact, rtol=0.1, atol=0.1 * exact.abs().max().item())


def test_training_steps_in_bfloat16_lower_the_loss() -> None:
    network = models.load("small_cnn", 2, 16, width=0.5)
    labels = torch.arange(32) % 2
    images = torch.rand(32, 3, 16, 16) * 0.5 + labels[:, None, None, None] * torch.linspace(0, 0.3, 16)
    optimiser = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
    losses = []
    for _ in range(15):
        with torch.autocast("cpu", torch.bfloat16):
            loss = nn.functional.cross_entropy(network(images), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.25 * losses[0]


@pytest.mark.parametrize("name", NAMES)
def test_which_networks_have_dropout(name: str) -> None:
    assert narrow(name).has_dropout == (name in {*LITE, "small_cnn", "vgg16", "vgg16_bn"})
    assert narrow(name, dropout=0.2).has_dropout
    assert not narrow(name, dropout=0.0).has_dropout


def test_dense_networks_have_dropout_unless_told_otherwise() -> None:
    assert models.load_dense("drn_d_22", 2, width=0.125).has_dropout
    assert not models.load_dense("drn_d_22", 2, width=0.125, dropout=0.0).has_dropout


def dropout_only(network: models.Network) -> models.Network:
    network.eval()
    for module in network.modules():
        if isinstance(module, network_module.DROPOUTS):
            module.train()
    return network


@pytest.mark.parametrize(
    "network",
    [
        lambda: narrow("vgg16_bn", 72),
        lambda: narrow("vgg16_bn", 32),
        lambda: narrow("small_cnn"),
        lambda: narrow("resnet18", dropout=0.5),
        lambda: models.load_dense("drn_d_22", 3, width=0.125, dropout=0.5),
    ],
)
def test_dropout_passes_share_one_trunk(network: object) -> None:
    assert callable(network)
    sampled = dropout_only(network())
    images = torch.rand(2, 3, 72, 72)
    trunk = sampled.trunk(images)
    assert trunk.equal(sampled.trunk(images))
    torch.manual_seed(1)
    whole = sampled(images)
    torch.manual_seed(1)
    shared = sampled.logits(trunk, images.shape[-2:])
    assert whole.equal(shared)
    assert not shared.equal(sampled.logits(trunk, images.shape[-2:]))


def test_the_width_scales_every_channel_to_a_multiple_of_eight() -> None:
    for width, first, last in ((0.125, 8, 64), (0.3, 16, 152), (0.01, 8, 8), (1.5, 96, 768)):
        with torch.device("meta"):
            state = models.load("vgg16", 3, 32, width=width).state_dict()
        assert state["features.0.weight"].shape[0] == first
        assert state["features.28.weight"].shape[0] == last


@pytest.mark.parametrize("name", [n for n in NAMES if n != "small_cnn"])
def test_the_initial_weights_are_the_public_codes(name: str) -> None:
    network = models.load(name, 10, 32, width=0.5)
    convolutions = {n: m for n, m in network.named_modules() if isinstance(m, nn.Conv2d) and n != "fc"}
    for entry, conv in convolutions.items():
        expected = (2 / (conv.kernel_size[0] ** 2 * conv.out_channels)) ** 0.5
        if conv.weight.numel() > 5000:
            assert conv.weight.std().item() == pytest.approx(expected, rel=0.06), entry
        assert conv.bias is None or not conv.bias.any()
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    assert all(m.weight.eq(1).all() and not m.bias.any() for m in norms)


def test_the_initial_heads() -> None:
    vgg = models.load("vgg16_bn", 10, 32).state_dict()["classifier.1.weight"]
    assert vgg.std().item() == pytest.approx(0.01, rel=0.05)
    drn = models.load("drn_d_22", 10, 32).state_dict()["fc.weight"]
    assert drn.std().item() == pytest.approx(512**-0.5, rel=0.05)


def test_the_same_seed_gives_the_same_weights() -> None:
    states = []
    for _ in range(2):
        torch.manual_seed(3)
        states.append(narrow("resnet18").state_dict())
    assert all(states[0][entry].equal(states[1][entry]) for entry in states[0])


def test_an_unknown_network_is_answered_with_the_nearest() -> None:
    with pytest.raises(
        SettingsError, match=r"unknown network 'vgg16bn'; did you mean 'vgg16_bn'\? Available: drn_c_26, "
    ):
        models.load("vgg16bn", 10)
    with pytest.raises(SettingsError, match=r"unknown segmentation network 'resnet18'; .*drn_d_22"):
        models.load_dense("resnet18", 10)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"num_classes": 0}, "num_classes is 0; a network needs at least 1"),
        ({"image_size": 7}, "image_size is 7; networks take 8 pixels or more"),
        ({"width": 0.0}, "width is 0.0; allowed is above 0 up to 8"),
        ({"width": math.nan}, "width is nan; allowed is above 0 up to 8"),
        ({"dropout": 1.0}, "dropout is 1.0; allowed is 0 up to, not including, 1"),
    ],
)
def test_a_setting_out_of_range_is_refused(settings: dict[str, float], sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        models.load("small_cnn", **{"num_classes": 4, "image_size": 32, **settings})  # type: ignore[arg-type]


@pytest.mark.parametrize("length", [1, 5, 4096])
def test_vectors_may_be_of_any_length(length: int) -> None:
    for name in ("linear", "mlp"):
        assert models.load(name, 3, image_size=length)(torch.zeros(2, length)).shape == (2, 3)


FAMILY = """
from pickwell.models.small import SmallCNN
NETWORKS = {"newcomer": SmallCNN}
"""


def test_a_new_family_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "newcomers.py").write_text(FAMILY)
    monkeypatch.setattr(models, "__path__", [*models.__path__, str(tmp_path)])
    models._table.cache_clear()
    try:
        assert "newcomer" in models.available()
        assert width(models.load("newcomer", 3, 32)) == 128
    finally:
        models._table.cache_clear()
        sys.modules.pop("pickwell.models.newcomers", None)
