"""EfficientNet-Lite: the published sizes, TensorFlow's padding, batch norms folded, maps of several strides."""

import pytest
import torch
from torch import nn

from pickwell import models
from pickwell.models.efficientnet_lite import EfficientNetLite, Same, folded


def lite(name: str = "efficientnet_lite0", width: float = 0.25) -> EfficientNetLite:
    network = models.load(name, 4, width=width)
    assert isinstance(network, EfficientNetLite)
    return network


@pytest.mark.parametrize(
    ("name", "weights", "entries", "blocks"),
    [
        ("efficientnet_lite0", 4_652_008, 296, 16),
        ("efficientnet_lite1", 5_416_680, 386, 21),
        ("efficientnet_lite2", 6_092_072, 386, 21),
    ],
)
def test_the_published_sizes(name: str, weights: int, entries: int, blocks: int) -> None:
    with torch.device("meta"):
        network = models.load(name, 1000)
    assert sum(value.numel() for value in network.parameters()) == weights
    assert len(network.state_dict()) == entries
    assert len(network.get_submodule("_blocks")) == blocks  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "wanted"),
    # As TensorFlow's documentation of SAME works out: how many of an input of ones each place sees.
    [
        (4, 3, 2, [3, 2]),
        (5, 3, 2, [2, 3, 2]),
        (4, 5, 2, [4, 3]),
        (3, 3, 1, [2, 3, 2]),
        (2, 5, 1, [2, 2]),
        (1, 3, 2, [1]),
    ],
)
def test_padding_is_tensorflows(size: int, kernel: int, stride: int, wanted: list[int]) -> None:
    layer = Same(1, 1, kernel, stride)
    nn.init.ones_(layer.weight)
    seen = layer(torch.ones(1, 1, size, 1))[0, 0, :, 0]
    assert seen.tolist() == wanted
    across = layer(torch.ones(1, 1, 1, size))[0, 0, 0]
    assert across.tolist() == wanted


def test_folding_changes_no_number() -> None:
    network = lite()
    images = torch.rand(2, 3, 64, 96)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 2.0)
            nn.init.uniform_(module.bias, -1.0, 1.0)
            module.running_mean, module.running_var = torch.rand_like(module.bias), 0.5 + torch.rand_like(module.bias)
    network.eval()
    fused = folded(network)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in fused.modules())
    assert any(isinstance(module, nn.BatchNorm2d) for module in network.modules())
    with torch.inference_mode():
        torch.testing.assert_close(fused(images), network(images), rtol=1e-4, atol=1e-4)
        assert network(images).std() > 1e-3


def test_maps_of_several_strides() -> None:
    network = lite(width=1.0).eval()
    with torch.inference_mode():
        found = network.pyramid(torch.rand(1, 3, 100, 65))
    sizes = {2: (16, 50, 33), 4: (24, 25, 17), 8: (40, 13, 9), 16: (112, 7, 5), 32: (320, 4, 3)}
    assert {stride: tuple(maps.shape[1:]) for stride, maps in found.items()} == sizes


def test_it_learns_in_all_its_parts() -> None:
    network = lite().train()
    images, classes = torch.rand(8, 3, 32, 32), torch.arange(8) % 4
    before = nn.functional.cross_entropy(network(images), classes)
    before.backward()
    silent = [name for name, value in network.named_parameters() if value.grad is None or not value.grad.any()]
    assert silent == []
    optimiser = torch.optim.Adam(network.parameters(), 1e-3)
    for _ in range(30):
        optimiser.zero_grad()
        loss = nn.functional.cross_entropy(network(images), classes)
        loss.backward()
        optimiser.step()
    assert loss < 0.5 * before
