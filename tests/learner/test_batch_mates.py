"""What networks say of an input is the same, bit by bit, whatever else they are asked, on the CPU that this runs on.

Kernels are chosen by a batch's shape: these are sizes at which they change.
"""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from pickwell import models
from pickwell.acquisition.patch_features import learn
from pickwell.learner import Devices, TaskLearner
from pickwell.learner.devices import Precision
from pickwell.learner.generators import generator, isolated
from pickwell.models.network import Network
from pickwell.strategies.vaal import VAAL
from pickwell.strategies.vaal.pool_scorer import PoolScorer
from pickwell.strategies.vaal.representations import Pools
from pickwell.testing import FakeStream, FakeView, blobs, train_auxiliary

COUNT = 257
"""Two blocks and one more."""
PARTS = [slice(0, 1), slice(COUNT - 1, COUNT), slice(5, 12), slice(100, 133), slice(0, 256), slice(1, COUNT)]
"""One, seven, 33 and 256 inputs; the last ones alone; all but the first, each in another place."""

precisions = pytest.mark.parametrize("precision", ["fp32", "bf16"])


def check(say: Callable[[Tensor], Tensor], inputs: Tensor, parts: list[slice]) -> None:
    whole = say(inputs)
    assert len(torch.unique(whole, dim=0)) > len(whole) // 2
    for part in parts:
        assert torch.equal(say(inputs[part]), whole[part]), part


def everything(network: Network, precision: Precision) -> Callable[[Tensor], Tensor]:
    learner = TaskLearner([network], Devices(precision), seed=3)

    def say(images: Tensor) -> Tensor:
        found = [learner.predict(images), learner.embed(images)]
        found += list(learner.sample(images, 2)) if network.has_dropout else []
        return torch.cat([values.flatten(1) for values in found], 1)

    return say


def drawn(*shape: int) -> Tensor:
    return torch.rand(shape, generator=generator(0, "images"))


@precisions
@pytest.mark.parametrize(
    ("name", "size", "width"),
    [("resnet18", 16, 0.25), ("vgg16_bn", 16, 0.25), ("small_cnn", 8, 1), ("drn_d_22", 16, 0.125)],
)
def test_a_task_model_of_images(name: str, size: int, width: float, precision: Precision) -> None:
    with isolated():
        torch.manual_seed(0)
        network = models.load(name, 10, image_size=size, width=width)
    check(everything(network, precision), Devices("fp32").put(drawn(COUNT, 3, size, size)), PARTS)


@precisions
@pytest.mark.parametrize("name", ["linear", "mlp"])
def test_a_task_model_of_vectors(name: str, precision: Precision) -> None:
    with isolated():
        torch.manual_seed(0)
        network = models.load(name, 10, image_size=512)
    check(everything(network, precision), drawn(COUNT, 512), PARTS)


@precisions
@pytest.mark.parametrize("name", ["drn_d_22", "drn_c_26", "efficientnet_lite0"])
def test_a_task_model_of_scenes(name: str, precision: Precision) -> None:
    with isolated():
        torch.manual_seed(0)
        network = models.load_dense(name, 5, width=0.25)
    scenes = Devices("fp32").put(drawn(9, 3, 48, 64))
    check(everything(network, precision), scenes, [slice(0, 1), slice(1, 8), slice(8, 9)])


@precisions
@pytest.mark.parametrize("widths", [(16, 32, 64, 128), (64, 128, 256)])
def test_vaals_encoder_and_discriminator(widths: tuple[int, ...], precision: Precision) -> None:
    images = drawn(COUNT, 3, 32, 32)
    strategy = VAAL(widths=widths, steps=2)
    train_auxiliary(strategy, FakeView(images, range(9)), precision=precision)

    def say(some: Tensor) -> Tensor:
        pool = FakeStream(some, torch.arange(len(some)), batch_size=5)
        scorer = PoolScorer(strategy.trained(), Pools(pool, pool, pool))
        return torch.cat([torch.column_stack(encoded) for _, encoded in scorer.encoded(pool)])

    check(say, images, PARTS)


def test_features_of_patches() -> None:
    images = blobs(COUNT, 24)
    check(learn(images[:40], generator(0, "patches")), images, PARTS)
