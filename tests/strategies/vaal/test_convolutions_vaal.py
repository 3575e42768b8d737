"""The stride-2 convolutions: as products they give what torch's convolutions give, gradients included."""

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from pickwell.strategies.vaal import convolutions
from pickwell.strategies.vaal.convolutions import Down, Up


def gradients(layer: nn.Module, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What the layer makes of x, and the gradients of a sum that tells every place apart."""
    x = x.clone().requires_grad_()
    layer.zero_grad()
    y = layer(x)
    (y * torch.linspace(-1, 1, y.numel(), dtype=y.dtype).view(y.shape)).sum().backward()
    weight = layer.weight.grad
    assert isinstance(weight, Tensor)
    assert x.grad is not None
    return y.detach(), x.grad, weight.clone()


@pytest.mark.parametrize("kind", [Down, Up])
@pytest.mark.parametrize("size", [(4, 4), (2, 4), (6, 2)])
def test_the_product_is_the_convolution(
    kind: type[Down] | type[Up], size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    layer, x = kind(3, 5).double(), torch.randn(2, 3, *size, dtype=torch.float64)
    usual = gradients(layer, x)
    monkeypatch.setattr(convolutions, "MANY_WEIGHTS", 1)
    monkeypatch.setattr(nn.Conv2d, "forward", None)  # the product must have been taken
    monkeypatch.setattr(nn.ConvTranspose2d, "forward", None)
    for ours, theirs in zip(gradients(layer, x), usual, strict=True):
        assert_close(ours, theirs)


def test_few_weights_and_scoring_keep_the_convolution(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convolutions, "down_by_product", None)
    x = torch.zeros(1, 3, 4, 4)
    Down(3, 5)(x)
    monkeypatch.setattr(convolutions, "MANY_WEIGHTS", 1)
    with torch.no_grad():
        Down(3, 5)(x)
    with pytest.raises(TypeError):
        Down(3, 5)(x)


def test_the_entries_are_those_of_torchs_convolutions() -> None:
    assert {name: p.shape for name, p in Down(3, 5).named_parameters()} == {"weight": (5, 3, 4, 4)}
    assert {name: p.shape for name, p in Up(3, 5).named_parameters()} == {"weight": (3, 5, 4, 4)}
