"""EfficientNet-Lite as an encoder: the published function, and one image's vector whatever is beside it."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pickwell import encoders, models
from pickwell.encoders.lite import LITE

Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def lite0() -> encoders.Encoder:
    return encoders.load("lite0")


@pytest.fixture(scope="module")
def images() -> list[Pixels]:
    chance = np.random.default_rng(0)
    sizes = ((300, 200), (224, 224), (32, 32), (17, 400), (501, 333))
    return [chance.integers(0, 256, (*size, 3), dtype=np.uint8) for size in sizes]


def test_the_vectors_are_the_networks_features(lite0: encoders.Encoder, images: list[Pixels]) -> None:
    network = models.load("efficientnet_lite0", 1000, weights=LITE["lite0"].path()).eval()
    prepared = np.stack([lite0.prepare(image) for image in images])
    with torch.inference_mode():
        wanted = network.embed(torch.from_numpy(prepared).permute(0, 3, 1, 2) / 255).numpy()
    vectors = lite0.encode(images)
    assert vectors.shape == (5, lite0.length) == (5, 1280)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, wanted, atol=5e-5)
    assert wanted.std() > 0.1


def test_a_vector_hangs_on_its_image_alone(lite0: encoders.Encoder, images: list[Pixels]) -> None:
    together = lite0.encode(images)
    one_by_one = np.concatenate([lite0.encode([image]) for image in images])
    assert (together == one_by_one).all()
    assert (lite0.encode(images[::-1]) == together[::-1]).all()
    assert lite0.encode([]).shape == (0, 1280)


def test_loading_leaves_chance_alone() -> None:
    torch.manual_seed(3)
    wanted = torch.rand(4)
    torch.manual_seed(3)
    encoders.load("lite0")
    assert torch.equal(torch.rand(4), wanted)
