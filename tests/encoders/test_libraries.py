"""The real loading code of timm, torchvision, transformers and open_clip, on small networks that they make and save.

They need torch's CUDA build and so an environment of their own: `make test-encoders`.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from pickwell import encoders
from pickwell.errors import EncoderError

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
Pixels = NDArray[np.uint8]


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No hub is asked, no cache but ours read."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    torch.manual_seed(0)


def picture(pixels: Pixels) -> Image.Image:
    return Image.fromarray(pixels)


def held_to(name: str, images: list[Pixels], wanted: list[torch.Tensor]) -> encoders.Encoder:
    """Loads an encoder and compares its vectors with those of the library itself, and with one image at a time."""
    encoder = encoders.load(name)
    found = encoder.encode(images)
    assert found.shape == (len(images), encoder.length)
    assert encoder.name == name
    np.testing.assert_allclose(found, torch.cat(wanted).numpy(), atol=2e-4 * float(np.abs(found).max()))
    assert (encoder.encode(images[1:2]) == found[1:2]).all()
    code = f"from pickwell import encoders; print('identity', encoders.load({name!r}).identity)"
    again = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert f"identity {encoder.identity}" in again.stdout
    return encoder


@torch.inference_mode()
def test_timm(images: list[Pixels], tmp_path: Path) -> None:
    timm = pytest.importorskip("timm")
    network = timm.create_model("test_vit", num_classes=7).eval()
    timm.models.save_for_hf(network, str(tmp_path / "vit"), safe_serialization=True)
    transform = timm.data.create_transform(**timm.data.resolve_model_data_config(network), is_training=False)
    wanted = [
        network.forward_head(network.forward_features(transform(picture(one))[None]), pre_logits=True) for one in images
    ]
    encoder = held_to(f"timm:local-dir:{tmp_path / 'vit'}", images, wanted)
    assert encoder.least == round(160 / 0.95 + 0.5)
    with pytest.raises(EncoderError, match=r"timm:nonsense cannot be loaded .*Unknown model .*pretrained=True"):
        encoders.load("timm:nonsense")


@torch.inference_mode()
def test_torchvision(images: list[Pixels], tmp_path: Path) -> None:
    models = pytest.importorskip("torchvision").models
    cache = tmp_path / "torch/hub/checkpoints"
    cache.mkdir(parents=True)
    for name, features in (("resnet18", 512), ("squeezenet1_1", None)):
        weights = models.get_model_weights(name).DEFAULT
        network = models.get_model(name).eval()
        torch.save(network.state_dict(), cache / weights.url.rpartition("/")[2])
        if features is None:
            with pytest.raises(EncoderError, match="has no linear layer whose input would be its features"):
                encoders.load(f"torchvision:{name}")
            continue
        network.fc = torch.nn.Identity()
        wanted = [network(weights.transforms()(picture(one))[None]) for one in images]
        encoder = held_to(f"torchvision:{name}", images, wanted)
        assert (encoder.length, encoder.least) == (features, 256)
    with pytest.raises(EncoderError, match=r"torchvision:resnot cannot be loaded .*get_model\('resnot', weights="):
        encoders.load("torchvision:resnot")


def small(library: Any, kind: str) -> tuple[Any, Any]:
    """A network and a processor of a kind, the smallest."""
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    if kind == "dinov2":
        config = library.Dinov2Config(**sizes, image_size=28, patch_size=14)
        crop = {"height": 28, "width": 28}
        return library.Dinov2Model(config), library.BitImageProcessor(size={"shortest_edge": 32}, crop_size=crop)
    if kind == "siglip":
        texts = sizes | {"vocab_size": 99, "pad_token_id": 1, "bos_token_id": 2, "eos_token_id": 3}
        config = library.SiglipConfig(vision_config=sizes | {"image_size": 32, "patch_size": 16}, text_config=texts)
        return library.SiglipModel(config), library.SiglipImageProcessor(size={"height": 32, "width": 32})
    config = library.ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic")
    return library.ResNetModel(config), library.CLIPImageProcessor()


@pytest.mark.parametrize(("kind", "length", "least"), [("dinov2", 32, 32), ("siglip", 32, 32), ("resnet", 16, 224)])
@torch.inference_mode()
def test_transformers(images: list[Pixels], tmp_path: Path, kind: str, length: int, least: int) -> None:
    library = pytest.importorskip("transformers")
    network, processor = small(library, kind)
    network.eval().save_pretrained(tmp_path / kind)
    processor.save_pretrained(tmp_path / kind)
    wanted = []
    for one in images:
        inputs = processor(images=picture(one), return_tensors="pt")
        said = network.get_image_features(**inputs) if kind == "siglip" else network(**inputs)
        wanted.append(said.pooler_output.flatten(1))
    encoder = held_to(f"transformers:{tmp_path / kind}", images, wanted)
    assert (encoder.length, encoder.least) == (length, least)
    (tmp_path / kind / "model.safetensors").write_bytes(b"cut short")
    with pytest.raises(EncoderError, match=rf"transformers:.*{kind} cannot be loaded"):
        encoders.load(f"transformers:{tmp_path / kind}")


@torch.inference_mode()
def test_open_clip(images: list[Pixels], tmp_path: Path) -> None:
    library = pytest.importorskip("open_clip")
    config = {
        "embed_dim": 16,
        "vision_cfg": {"image_size": 32, "layers": 1, "width": 64, "patch_size": 16},
        "text_cfg": {"context_length": 8, "vocab_size": 99, "width": 16, "heads": 2, "layers": 1},
    }
    network = library.CLIP(**config).eval()
    (tmp_path / "open_clip_config.json").write_text(json.dumps({"model_cfg": config, "preprocess_cfg": {}}))
    torch.save(network.state_dict(), tmp_path / "open_clip_pytorch_model.bin")
    transform = library.image_transform(32, is_train=False)
    wanted = [network.encode_image(transform(picture(one))[None]) for one in images]
    encoder = held_to(f"open_clip:local-dir:{tmp_path}", images, wanted)
    assert (encoder.length, encoder.least) == (16, 32)
    with pytest.raises(EncoderError, match=r"says not which weights; add them, .*:TAG: .*laion2b_s34b_b79k"):
        encoders.load("open_clip:ViT-B-32")
    with pytest.raises(EncoderError, match=r"open_clip:nonsense:x cannot be loaded"):
        encoders.load("open_clip:nonsense:x")
