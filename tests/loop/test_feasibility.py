import time
from pathlib import Path

import pytest
import torch

from pickwell import models
from pickwell.config import Settings
from pickwell.errors import SettingsError
from pickwell.loop import feasibility
from pickwell.loop.campaign import Campaign
from pickwell.loop.creation import check, create
from pickwell.loop.feasibility import GIB, activations, memory

PLAIN = {"name": "birds", "task": {"classes": ["gull", "heron"]}, "strategy": {"name": "random"}}


def settings(**changes: object) -> Settings:
    return Settings.parse(PLAIN).changed({key.replace("__", "."): value for key, value in changes.items()})


def test_an_absurd_size_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    began = time.perf_counter()
    with pytest.raises(SettingsError, match=r"resnet18 with model.width 8 and model.image_size 2048 needs at least"):
        create(
            tmp_path / "c",
            tmp_path,
            classes=["a", "b"],
            settings={"model.name": "resnet18", "model.width": 8, "model.image_size": 2048},
        )
    assert time.perf_counter() - began < 10
    assert not list(tmp_path.iterdir())


def test_settings_edited_by_hand_are_refused_too(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    campaign.tell({item: str(campaign.pool.item(item).known) for item in range(20)}, imported=True)
    monkeypatch.setattr(feasibility, "memory", lambda: GIB // 10_000)
    with pytest.raises(SettingsError, match=r"allowed are 0\.0 GiB, 80% of the memory: choose a smaller model.width"):
        campaign.fit()


@pytest.mark.parametrize(("name", "size"), [("small_cnn", 32), ("resnet18", 128), ("resnet18", 224), ("vgg16_bn", 32)])
def test_usual_sizes_are_taken(name: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feasibility, "memory", lambda: 8 * GIB)
    check(settings(model__name=name, model__image_size=size))


def test_a_committee_needs_memory_for_every_member(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = settings(model__name="vgg16_bn", model__image_size=32, training__batch_size=2)
    one = sum(p.numel() for p in models.load("vgg16_bn", 2, image_size=32).parameters()) * feasibility.WEIGHT_BYTES
    monkeypatch.setattr(feasibility, "memory", lambda: round(3 * one / feasibility.SHARE))
    check(chosen)
    with pytest.raises(SettingsError, match="74 million weights"):
        check(chosen.changed({"strategy": {"name": "ensemble"}}))


def test_activations_are_those_of_the_weighted_layers() -> None:
    network = models.load("vgg16", 10, image_size=32)
    convolutions = 32**2 * 64 * 2 + 16**2 * 128 * 2 + 8**2 * 256 * 3 + 4**2 * 512 * 3 + 2**2 * 512 * 3
    with torch.device("meta"):
        found = activations(models.load("vgg16", 10, image_size=32), 32)
    dense = sum(m.out_features for m in network.modules() if isinstance(m, torch.nn.Linear))
    assert found == convolutions + dense


def test_the_memory_is_this_machines() -> None:
    assert GIB / 4 < memory() < 2**45
