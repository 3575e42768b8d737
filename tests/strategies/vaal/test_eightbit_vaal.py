"""Scoring in eight bits: close to the full precision, independent of batch mates, taken for large encoders alone."""

import pytest
import torch
from torch import nn

from pickwell.learner.devices import cpu_can
from pickwell.strategies.vaal import eightbit
from pickwell.strategies.vaal.eightbit import EightBit, worthwhile
from pickwell.strategies.vaal.networks import VAE, folded

needs_bytes = pytest.mark.skipif(not cpu_can("avx512_vnni"), reason="this CPU does not multiply bytes")


def body(size: tuple[int, int] = (16, 16)) -> nn.Module:
    torch.manual_seed(0)
    encoder = VAE(size, 8, (32, 64, 64)).encoder
    with torch.no_grad():
        encoder(torch.rand(64, 3, *size))  # batch norms away from the identity
    return folded(encoder.eval()).body


@needs_bytes
@pytest.mark.parametrize("size", [(16, 16), (20, 13)])
@torch.inference_mode()
def test_it_stays_within_two_percent_of_full_precision(size: tuple[int, int]) -> None:
    full, images = body(size), torch.rand(64, 3, *size).mul(255).round().div(255)
    right = full(images)
    assert ((EightBit(full, images)(images) - right).norm() / right.norm()).item() < 0.02
    assert ((EightBit(full, images[:8])(images) - right).norm() / right.norm()).item() < 0.03


@needs_bytes
@torch.inference_mode()
def test_an_image_does_not_depend_on_its_batch_mates() -> None:
    images = torch.rand(33, 3, 16, 16)
    quick = EightBit(body(), images)
    alone = torch.cat([quick(image[None]) for image in images])
    assert torch.equal(alone, quick(images))


@needs_bytes
def test_only_large_encoders_take_it(monkeypatch: pytest.MonkeyPatch) -> None:
    images = torch.rand(2, 3, 16, 16)
    assert not worthwhile(body(), images)
    monkeypatch.setattr(eightbit, "MANY_WEIGHTS", 1)
    assert worthwhile(body(), images)


def test_it_is_not_taken_where_the_cpu_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eightbit, "MANY_WEIGHTS", 1)
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)
    assert not worthwhile(body(), torch.rand(2, 3, 16, 16))
