"""Tiles of large images give what the whole image gives."""

from collections.abc import Iterator

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pickwell import models
from pickwell.learner import Devices, TaskLearner
from pickwell.learner.generators import generator
from pickwell.learner.tiles import spans, trunk
from pickwell.models.network import Network


def network(name: str = "drn_d_22", *, seed: int = 0) -> Network:
    torch.manual_seed(seed)
    made = models.load_dense(name, 3, width=0.125, dropout=0.3)
    for module in made.modules():
        if isinstance(module, torch.nn.BatchNorm2d):  # as after training: nothing is zero mean, unit variance
            module.running_mean.normal_(0, 0.1)  # type: ignore[union-attr]
            module.running_var.uniform_(0.5, 1.5)  # type: ignore[union-attr]
    return made.eval()


def first(network: Network) -> torch.nn.Module:
    return network.get_submodule("layer0")


def photograph(height: int, width: int, count: int = 1) -> torch.Tensor:
    return torch.rand(count, 3, height, width, generator=generator(0, "photograph"))


@given(
    length=st.integers(1, 3000), side=st.integers(8, 900), around=st.integers(0, 40), stride=st.sampled_from([1, 4, 8])
)
def test_spans_cover_every_place_once_and_see_what_is_around(length: int, side: int, around: int, stride: int) -> None:
    places = -(-length // stride)
    kept: list[int] = []
    for span in spans(length, side, around, stride):
        assert 0 <= span.start < span.stop <= length
        assert span.start % stride == 0
        first = span.start // stride + span.first
        last = span.start // stride + span.last
        kept += range(first, last)
        assert span.start <= max(0, (first - around) * stride)
        assert span.stop >= min(length, (last + around) * stride)
    assert kept == list(range(places))


@pytest.mark.parametrize(
    ("name", "reach"), [("drn_c_26", 290), ("drn_d_22", 263), ("drn_d_38", 495), ("drn_d_54", 259)]
)
def test_receptive_field_is_the_sum_of_what_the_convolutions_see(name: str, reach: int) -> None:
    assert network(name).receptive_field == reach


def test_nothing_beyond_its_reach_changes_a_place() -> None:
    taught, images = network(), photograph(64, 700)
    assert taught.receptive_field is not None
    changed = images.clone()
    changed[..., 400:] = 0
    with torch.inference_mode():
        left, right = (taught.trunk(some)[..., : (400 - taught.receptive_field) // 8] for some in (images, changed))
        assert torch.equal(left, right)
        assert left.shape[-1] == 17
        assert not torch.equal(taught.trunk(images)[..., 17:40], taught.trunk(changed)[..., 17:40])


@pytest.mark.parametrize("size", [(650, 40), (33, 641)])
def test_tiles_equal_the_whole_prediction(size: tuple[int, int]) -> None:
    taught, images = network(), photograph(*size)
    seen: list[int] = []
    first(taught).register_forward_hook(lambda _, inputs, __: seen.append(inputs[0][0, 0].numel()))
    whole, tiled = (TaskLearner([taught], Devices("fp32"), seed=3, pixels=p) for p in (1 << 21, 128 * 128))
    expected = whole.predict(images)
    assert seen == [size[0] * size[1]]
    torch.testing.assert_close(tiled.predict(images), expected, rtol=1e-4, atol=1e-5)
    assert len(seen) == 1 + 11
    torch.testing.assert_close(tiled.embed(images), whole.embed(images), rtol=1e-4, atol=1e-4)
    for one, other in zip(tiled.sample(images, 2), whole.sample(images, 2), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_photographs_go_through_one_by_one() -> None:
    taught = network()
    seen: list[int] = []
    first(taught).register_forward_hook(lambda _, inputs, __: seen.append(len(inputs[0])))
    assert len(TaskLearner([taught], Devices("fp32")).predict(photograph(16, 24, count=3))) == 3
    assert seen == [1, 1, 1]


class Whole(torch.nn.Module):
    """A network in which every place sees everything."""

    per_pixel, stride, receptive_field = True, 1, None

    def trunk(self, images: torch.Tensor) -> torch.Tensor:
        return images - images.mean((2, 3), keepdim=True)


def test_a_network_that_sees_everything_is_never_cut() -> None:
    images = photograph(50, 60)
    assert torch.equal(trunk(Whole(), images, pixels=100), Whole().trunk(images))  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def nobodys_randomness() -> Iterator[None]:
    with torch.random.fork_rng():
        yield
