"""Campaigns that train an encoder's own network on the images, beginning with what it knows."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pickwell import encoders, models
from pickwell.campaign.open_campaign import OpenCampaign
from pickwell.errors import SettingsError
from pickwell.loop.campaign import Campaign
from pickwell.loop.creation import create
from pickwell.oracle import Simulated

SHORT = {"training.epochs": 1, "training.batch_size": 4}
STREET = {"task.kind": "segmentation"}


def scenes(root: Path, side: int = 136, count: int = 6) -> Path:
    """Noise with a bright square somewhere in it, and the masks that tell the two apart."""
    rng = np.random.default_rng(side)
    for part in ("images", "masks"):
        (root / part).mkdir(parents=True)
    for number in range(count):
        mask = np.zeros((side, side + 16), np.uint8)
        row, column = rng.integers(0, side // 2, 2)
        mask[row : row + side // 2, column : column + side // 2] = 1
        pixels = np.where(mask[..., None], 230, rng.integers(0, 120, (*mask.shape, 3))).astype(np.uint8)
        Image.fromarray(pixels).save(root / "images" / f"{number}.png")
        Image.fromarray(mask).save(root / "masks" / f"{number}.png")
    return root


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return scenes(tmp_path_factory.mktemp("street"))


@pytest.fixture(scope="module")
def birds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Red and blue pictures, 8 of each."""
    root = tmp_path_factory.mktemp("birds")
    rng = np.random.default_rng(0)
    for channel, name in ((0, "red"), (2, "blue")):
        (root / name).mkdir()
        for number in range(8):
            pixels = rng.integers(0, 80, (40, 48, 3), np.uint8)
            pixels[..., channel] += 150
            Image.fromarray(pixels).save(root / name / f"{number}.png")
    return root


def masks(root: Path, street: Path, **settings: object) -> OpenCampaign:
    changes = {**STREET, **{key.replace("__", "."): value for key, value in settings.items()}}
    create(root, street / "images", masks=street / "masks", classes=["ground", "thing"], settings=changes)
    return OpenCampaign(root)


def test_scenes_that_are_photographs_begin_with_what_lite0_knows(street: Path, tmp_path: Path) -> None:
    with masks(tmp_path / "c", street) as campaign:
        chosen = campaign.settings
    assert (chosen.encoder, chosen.training.finetune, chosen.model.name) == ("lite0", True, "efficientnet_lite0")
    assert (chosen.model.width, chosen.model.image_size) == (1.0, 136)


@pytest.mark.parametrize("settings", [{"encoder": "none"}, {"model__name": "drn_c_26"}])
def test_from_scratch_by_choice(street: Path, tmp_path: Path, settings: dict[str, object]) -> None:
    with masks(tmp_path / "c", street, **settings) as campaign:
        chosen = campaign.settings
    assert (chosen.encoder, chosen.training.finetune, chosen.model.width) == ("none", False, 0.25)
    assert chosen.model.name in ("drn_d_22", "drn_c_26")


def test_an_encoder_that_masks_are_to_be_learnt_with_is_fine_tuned(tmp_path: Path) -> None:
    small = scenes(tmp_path / "small", side=40, count=2)
    with masks(tmp_path / "c", small, encoder="lite0") as campaign:
        assert campaign.settings.training.finetune


@pytest.mark.parametrize("kind", ["segmentation", "classification"])
def test_a_fit_begins_with_the_encoders_weights_and_learns(
    kind: str, street: Path, birds: Path, tmp_path: Path
) -> None:
    # At a rate of next to nothing the network stays what it began as.
    chosen = SHORT | {"training.finetune": True, "training.learning_rate": 1e-12, "validation.share": 0.0}
    if kind == "segmentation":
        masks(tmp_path / "c", street, **{key.replace(".", "__"): value for key, value in chosen.items()}).close()
    else:
        create(tmp_path / "c", birds, labels_from_folders=True, settings=chosen)
    with Campaign(tmp_path / "c") as campaign:
        assert campaign.encoder is None
        assert campaign.encode() == 0
        campaign.run(Simulated(campaign.task, campaign.pool), rounds=2, budget=3)
        learner = campaign.fitted("random", campaign._strategy("random", {})[1], campaign.store.labels()).fit.learner
    published = models.load("efficientnet_lite0", 1000, weights=encoders.weights("lite0").path).state_dict()
    begun = learner.members[0].state_dict()
    shared = [name for name in begun if name.startswith("_blocks") and name.endswith("conv.weight")]
    assert len(shared) == 47
    for name in shared:
        torch.testing.assert_close(begun[name], published[name], atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            {"model.name": "resnet18"},
            r"model.name is 'resnet18', but lite0 is to be fine-tuned, whose is 'efficientnet",
        ),
        ({"model.width": 0.5}, r"model.width is 0.5, .* set training.finetune = false"),
        ({"encoder": "none"}, r"encoder 'none' cannot be fine-tuned; allowed are lite0, lite1, lite2"),
        ({"encoder": "onnx:gone.onnx"}, r"encoder 'onnx:.*' cannot be fine-tuned"),
    ],
)
def test_what_cannot_be_fine_tuned_is_refused(
    settings: dict[str, object], sentence: str, birds: Path, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match=sentence):
        create(tmp_path / "c", birds, labels_from_folders=True, settings={"training.finetune": True, **settings})
    assert not (tmp_path / "c").exists()


def test_masks_and_vectors_are_refused_together(street: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"segmentation is learnt from pixels, .* set training.finetune = true"):
        masks(tmp_path / "c", street, encoder="lite0", training__finetune=False)
