"""Campaigns on masks: scenes of two sizes, every strategy, what is measured and what is written for people."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from pickwell import strategies
from pickwell.errors import SettingsError
from pickwell.loop.campaign import Campaign
from pickwell.loop.creation import create
from pickwell.tasks.segmentation import label_maps

CLASSES = ["left", "right", "!void"]
QUICK: dict[str, Any] = {
    "task.kind": "segmentation",
    "model.width": 0.0625,
    "model.image_size": 16,
    "training.epochs": 1,
    "training.batch_size": 4,
    "training.precision": "fp32",
}
SMALL: dict[str, Any] = {"steps": 2, "latent": 4, "discriminator_width": 8}
STRATEGIES: dict[str, dict[str, Any]] = {
    "badge": {},
    "core-set": {},
    "dbal": {"passes": 2},
    "dropquery": {},
    "ensemble": {"members": 2},
    "entropy": {},
    "least-confidence": {},
    "margin": {},
    "maxherding": {},
    "mc-dropout": {"passes": 2},
    "probcover": {},
    "qbc": {"members": 2},
    "random": {},
    "suggestive-annotation": {"members": 2},
    "typiclust": {},
    "uherding": {},
    "vaal": {**SMALL, "working_size": 16},
    "vaal-diverse": {**SMALL, "representation": "features", "feature_width": 8},
    "vaal-frozen": {**SMALL, "vae_steps": 1, "working_size": 16},
    "vaal-no-vae": {**SMALL, "working_size": 16},
    "vaal-wasserstein": {**SMALL, "working_size": 16},
}


def scene(number: int) -> tuple[Image.Image, Image.Image]:
    """A dark left and a bright right part, with a void column between them."""
    width, height = ((24, 16), (16, 24))[number // 3 % 2]
    border = 4 + number % 8
    values = np.where(np.arange(width) < border, 0, 1).astype(np.uint8).reshape(1, -1).repeat(height, 0)
    pixels = (60 + 120 * values + np.random.default_rng(number).integers(0, 40, values.shape)).astype(np.uint8)
    values[:, border] = 2
    return Image.fromarray(pixels).convert("RGB"), Image.fromarray(values)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("town")
    for folder, numbers in (("images", range(20)), ("test", range(50, 56))):
        (root / folder).mkdir()
        (root / f"{folder}-masks").mkdir()
        for number in numbers:
            image, mask = scene(number)
            image.save(root / folder / f"{number:02d}.png")
            mask.save(root / f"{folder}-masks" / f"{number:02d}.png")
    return root


def made(town: Path, root: Path, strategy: str, **settings: Any) -> Campaign:
    chosen = {"strategy.name": strategy, **{f"strategy.{key}": value for key, value in settings.items()}}
    create(
        root,
        town / "images",
        masks=town / "images-masks",
        classes=CLASSES,
        test=town / "test",
        test_masks=town / "test-masks",
        settings=QUICK | chosen,
    )
    return Campaign(root)


def test_every_strategy_has_a_case() -> None:
    assert sorted(STRATEGIES) == strategies.available()


@pytest.fixture(scope="module")
def begun(town: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign with a first round of 6 told, and nothing trained yet."""
    root = tmp_path_factory.mktemp("begun") / "c"
    with made(town, root, "random") as campaign:
        question = campaign.ask(6)
        campaign.tell(campaign.oracle("simulated").answer([campaign.pool.item(pick.item) for pick in question.picks]))
    return root


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_every_strategy_asks_for_masks(begun: Path, tmp_path: Path, strategy: str) -> None:
    shutil.copytree(begun, tmp_path / "c")
    with Campaign(tmp_path / "c") as campaign:
        campaign.ask(4, strategy, **STRATEGIES[strategy])
        metrics = campaign.measured()
        asked = [pick.item for question in campaign.store.rounds() for pick in question.picks]
        assert len(set(asked)) == len(asked) == 10
        assert metrics.measured == 6
        assert set(metrics.values) == {"mean_iou", "pixel_accuracy", "iou/left", "iou/right"}
        assert 0 <= metrics.values["mean_iou"] <= 1
        second = campaign.store.rounds()[1]
        assert second.strategy == strategy
        for pick in second.picks:
            width, height = campaign.pool.manifest.sizes([pick.item])[0].tolist()
            said = label_maps.decode((tmp_path / "c" / "rounds" / "0002" / f"{pick.item}.mask.png").read_bytes())
            assert said.shape == (height, width)
            assert set(np.unique(said)) <= {0, 1}
            unsure = label_maps.decode(
                (tmp_path / "c" / "rounds" / "0002" / f"{pick.item}.uncertainty.png").read_bytes()
            )
            assert unsure.shape == (height, width)
            assert unsure.max() > 0


def test_a_campaign_on_masks_runs_to_its_end(begun: Path, tmp_path: Path) -> None:
    shutil.copytree(begun, tmp_path / "c")
    with Campaign(tmp_path / "c") as campaign:
        metrics = campaign.run(campaign.oracle("simulated"), 2, 7)
        assert metrics.labels == 20
        assert not len(campaign.unlabelled())
        assert metrics.measured == 6


def test_the_test_sets_masks_are_read_with_their_void(town: Path, tmp_path: Path) -> None:
    with made(town, tmp_path / "c", "random") as campaign:
        assert campaign.test is not None
        truth = campaign.learning.known(campaign.test, range(len(campaign.test)))
        assert len(truth) == 6
        for place, number in enumerate(range(50, 56)):
            expected = np.array(scene(number)[1]).astype(np.int64)
            expected[expected == 2] = 255
            assert np.array_equal(truth[torch.tensor([place])][0].numpy(), expected)


def test_what_is_learnt_from_is_part_of_a_fits_name(town: Path, tmp_path: Path) -> None:
    """A corrected mask is learnt anew: the fit must not be taken for the old one."""
    with made(town, tmp_path / "c", "random") as campaign:
        campaign.run(campaign.oracle("simulated"), 1, 6)
        assert campaign._last is not None
        before = campaign._last.fit.key
        campaign.fit()
        assert campaign._last.fit.key == before
        item = int(campaign.store.labels().items[0])
        corrected = 1 - campaign.pool.mask(item).clip(0, 1)
        campaign.tell({item: corrected})
        campaign.fit()
        assert campaign._last.fit.key != before


@pytest.mark.parametrize("strategy", ["mc-dropout", "dbal"])
def test_a_dropout_strategy_on_a_model_without_dropout_is_refused_and_nothing_written(
    tmp_path: Path, strategy: str
) -> None:
    settings = {"model.name": "resnet18", "strategy.name": strategy}
    with pytest.raises(
        SettingsError,
        match=r"asks for dropout passes, and resnet18 has no dropout layer; choose a strategy with a comm",
    ):
        create(tmp_path / "c", "digits", settings=settings)
    assert not (tmp_path / "c").exists()


def test_it_is_refused_too_where_a_campaign_is_asked_for_it_before_anything_is_trained(tmp_path: Path) -> None:
    create(tmp_path / "c", "digits", settings={"model.name": "resnet18", "strategy.name": "random"})
    with Campaign(tmp_path / "c") as campaign:
        for call in (lambda: campaign.ask(5, "mc-dropout"), lambda: campaign.fit("dbal")):
            with pytest.raises(SettingsError, match="has no dropout layer"):
                call()
        assert campaign.store.current() is None
        assert not list(campaign.directory.fits.glob("*"))
