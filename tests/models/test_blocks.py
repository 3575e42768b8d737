import pytest
import torch
from torch.nn import functional

from pickwell.models.blocks import Thinned, convolution


@pytest.mark.parametrize("channels", [4, 8, 12, 16])
@pytest.mark.parametrize("side", [22, 45])
def test_a_strided_projection_is_the_convolution_it_stands_for(channels: int, side: int) -> None:
    ours = convolution(channels, 2 * channels, 1, stride=2).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    assert isinstance(ours, Thinned)
    assert list(ours.state_dict()) == ["weight"]
    x = torch.rand(8, channels, side, side).contiguous(memory_format=torch.channels_last).requires_grad_()
    weight = ours.weight.detach().double().requires_grad_()
    again = x.detach().double().contiguous().requires_grad_()
    found, wanted = ours(x), functional.conv2d(again, weight, stride=2)
    torch.testing.assert_close(found.double(), wanted, rtol=1e-4, atol=1e-5)
    # Its gradient is what ended the process with torch's own strides.
    (found**2).sum().backward()
    (wanted**2).sum().backward()
    assert x.grad is not None
    assert again.grad is not None
    assert ours.weight.grad is not None
    assert weight.grad is not None
    torch.testing.assert_close(x.grad.double(), again.grad, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(ours.weight.grad.double(), weight.grad, rtol=1e-4, atol=1e-3)
