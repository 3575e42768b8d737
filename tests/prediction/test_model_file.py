"""A model in one file: the same probabilities in plain onnxruntime, and all that one must know beside them."""

import json
import tomllib
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from PIL import Image
from safetensors.numpy import load_file
from tests.cli.command import Cli
from tests.loop.test_encoded_campaigns import change

from pickwell.errors import LabelError, SettingsError
from pickwell.learner.calibration import cooled
from pickwell.loop.campaign import Campaign
from pickwell.prediction.model_file import ModelFile
from pickwell.prediction.predictor import Predictor


def square(path: Path) -> np.ndarray:
    """The image as docs/deploy.md has it."""
    image = Image.open(path).convert("RGB")
    side = min(image.size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    box = (left, top, left + side, top + side)
    return np.asarray(image.resize((224, 224), Image.Resampling.BILINEAR, box, reducing_gap=3.0))


def test_plain_onnxruntime_gives_the_same_probabilities(root: Path, taught: Path, tmp_path: Path) -> None:
    with Campaign(root) as campaign:
        predictor = Predictor(campaign)
        ModelFile(predictor).write(tmp_path / "model.onnx")
        stream = campaign.stream(torch.arange(0, 120, 7))
        expected = torch.cat(
            [cooled(predictor.learner.predict(rows), predictor.temperature) for _, rows in stream.batches()]
        )
        names = campaign.pool.manifest.names(stream.ids().tolist())
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    images = np.stack([square(taught / "train" / name) for name in names])
    found = session.run(["probabilities"], {"image": images})[0]
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-4)
    said = session.get_modelmeta().custom_metadata_map
    assert json.loads(said["classes"]) == ["checks", "dots", "stripes"]
    assert json.loads(said["preprocessing"])["size"] == 224
    assert said["encoder_licence"] == "Apache-2.0"


def test_the_head_alone_as_safetensors_and_toml(root: Path, tmp_path: Path) -> None:
    with Campaign(root) as campaign:
        ModelFile(Predictor(campaign)).write(tmp_path / "model.safetensors")
        ids, rows = campaign.features()
        first = next(campaign.stream(torch.from_numpy(ids[:9])).batches())[1]
        expected = campaign.learnt().fit.learner.predict(first)
    head, said = load_file(tmp_path / "model.safetensors"), tomllib.loads((tmp_path / "model.toml").read_text())
    scaled = (rows[:9] - head["mean"]) / head["scale"]
    logits = scaled / np.linalg.norm(scaled, axis=1, keepdims=True) @ head["weight"].T + head["bias"]
    np.testing.assert_allclose(torch.from_numpy(logits).softmax(1), expected, atol=1e-5)
    assert said["classes"] == ["checks", "dots", "stripes"]


def test_nothing_is_written_over_and_nothing_half(root: Path, tmp_path: Path) -> None:
    with Campaign(root) as campaign:
        made = ModelFile(Predictor(campaign))
        (tmp_path / "model.toml").write_text("mine")
        with pytest.raises(LabelError, match=r"model.toml is there already"):
            made.write(tmp_path / "model.safetensors")
        with pytest.raises(LabelError, match=r"neither .onnx nor .safetensors"):
            made.write(tmp_path / "model.pt")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("model")] == ["model.toml"]


def test_a_model_that_is_no_head_is_refused(root: Path) -> None:
    change(root, model__name="mlp", training__epochs=1)
    with Campaign(root) as campaign, pytest.raises(SettingsError, match=r"this campaign has mlp and encoder lite0"):
        ModelFile(Predictor(campaign))


def test_the_command_writes_a_card_beside_it(cli: Cli, root: Path, tmp_path: Path) -> None:
    cli("model", root, "--out", tmp_path / "model.onnx")
    card = (tmp_path / "model.md").read_text()
    assert "on 90 images that it did not learn from" in card
    assert "| checks |" in card
    assert "picked by `uherding`" in card
