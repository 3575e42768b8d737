"""Adding a class and renaming one: labels, known labels and masks follow, what people wrote in the settings stays."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.cli.command import Cli

from pickwell.loop.campaign import Campaign
from pickwell.loop.creation import create

QUICK = {"encoder": "none", "strategy.name": "margin", "training.epochs": 1, "model.width": 0.25}


@pytest.fixture
def birds(tmp_path: Path) -> Path:
    for number in range(16):
        path = tmp_path / "photos" / ("gull", "heron")[number % 2] / f"{number:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.effect_noise((16, 16), 60).save(path)
    create(tmp_path / "c", tmp_path / "photos", test=None, labels_from_folders=True, settings=QUICK)
    return tmp_path / "c"


def test_a_class_that_comes_up_later_is_added(cli: Cli, birds: Path) -> None:
    settings = birds / "campaign.toml"
    settings.write_text("# ours, do not touch\n" + settings.read_text().replace("[model]", "[model] # small"))
    cli.json("tell", birds, "--known")
    assert cli.json("classes", birds, "add", "tern", "skua")["classes"] == {"gull": 8, "heron": 8, "tern": 0, "skua": 0}
    text = settings.read_text()
    assert text.startswith("# ours, do not touch\n")
    assert "[model] # small" in text
    with Campaign(birds) as campaign:
        campaign.tell({0: "tern"})
        assert campaign.fit().labels == 16
    code, _, err = cli("classes", birds, "add", "!x")
    assert (code, "a class cannot be named '!x'" in err) == (2, True)
    assert settings.read_text() == text


def test_a_renamed_class_is_renamed_in_labels_folders_and_suggestions(cli: Cli, birds: Path) -> None:
    cli.json("run", birds, "--rounds", 1, "--budget", 6)
    cli.json("ask", birds, "--budget", 4)
    with Campaign(birds) as campaign:
        gulls = campaign.store.labels().values.count("gull")
        log = campaign.store.position()
    counts = cli.json("classes", birds, "rename", "gull", "herring gull")["classes"]
    assert counts == {"herring gull": gulls, "heron": 6 - gulls}
    with Campaign(birds) as campaign:
        assert campaign.store.position() == log
        assert {hint.suggestion for hint in campaign.hints.of(2).values()} <= {"herring gull", "heron"}
        assert campaign.fit().labels == 6
    cli.json("run", birds, "--rounds", 2, "--budget", 4)  # whose oracle reads the folders' names
    # And back again.
    assert set(cli.json("classes", birds, "rename", "herring gull", "gull")["classes"]) == {"gull", "heron"}
    assert cli.json("run", birds, "--rounds", 1, "--budget", 2)["labels"] == 16
    code, _, err = cli("classes", birds, "rename", "gull", "heron")
    assert (code, "two cannot be made one" in err) == (2, True)
    code, _, err = cli("classes", birds, "rename", "gul", "x")
    assert (code, "unknown class 'gul'; did you mean 'gull'" in err) == (2, True)
    code, _, err = cli("classes", birds, "remove", "gull")
    assert (code, "say add NAME..., or rename OLD NEW" in err) == (2, True)


def test_an_open_campaign_takes_the_new_list_over(cli: Cli, birds: Path) -> None:
    with Campaign(birds) as page:
        cli.json("classes", birds, "rename", "gull", "skua")
        page.refresh()
        assert page.task.classes == ("skua", "heron")
        page.tell({1: "skua"}, imported=True)


def test_masks_keep_their_numbers_when_classes_come_and_are_renamed(cli: Cli, tmp_path: Path) -> None:
    for number in range(6):
        for part in ("images", "masks"):
            (tmp_path / part).mkdir(exist_ok=True)
        Image.effect_noise((32, 32), 60).convert("RGB").save(tmp_path / "images" / f"{number}.png")
        Image.fromarray(np.full((32, 32), number % 2, np.uint8)).save(tmp_path / "masks" / f"{number}.png")
    settings = {"task.kind": "segmentation", "strategy.name": "random", "encoder": "none"}
    create(tmp_path / "c", tmp_path / "images", masks=tmp_path / "masks", classes=["sky", "road"], settings=settings)
    assert "no mask shows" not in cli("add", tmp_path / "c", "--images", tmp_path / "images")[1]  # nothing is new
    cli.json("tell", tmp_path / "c", "--known")
    assert cli.json("classes", tmp_path / "c", "add", "car")["classes"] == {"sky": 3, "road": 3, "car": 0}
    assert cli.json("classes", tmp_path / "c", "rename", "road", "street")["classes"]["street"] == 3
    Image.effect_noise((32, 32), 60).convert("RGB").save(tmp_path / "images" / "new.png")
    Image.fromarray(np.full((32, 32), 2, np.uint8)).save(tmp_path / "masks" / "new.png")
    assert cli.json("add", tmp_path / "c", "--images", tmp_path / "images")["masks"] == 1
