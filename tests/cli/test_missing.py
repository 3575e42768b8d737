"""A photograph that was deleted, or damaged: left out and said, back when the file is, retired if wished."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.cli.command import Cli

from pickwell.features.vectors import moments
from pickwell.loop.campaign import Campaign
from pickwell.loop.creation import create

PIXELS = {"encoder": "none", "strategy.name": "entropy", "training.epochs": 1, "model.width": 0.25}
ENCODED = {"strategy.name": "margin"}
SCENES = {"task.kind": "segmentation", "strategy.name": "entropy", "training.epochs": 1, "model.width": 0.0625}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    for number in range(16):
        Image.effect_noise((32, 32), 60).convert("RGB").save(tmp_path / "photos" / f"{number:02d}.png")
    return tmp_path / "photos"


def started(photos: Path, where: Path, settings: Mapping[str, object]) -> list[int]:
    """Makes a campaign of which 6 images are labelled; returns these."""
    create(where, photos, classes=["a", "b"], settings=settings)
    masked = settings.get("task.kind") == "segmentation"
    with Campaign(where) as campaign:
        picks = [pick.item for pick in campaign.ask(6).picks]
        masks = {item: np.full((32, 32), item % 2, np.uint8) for item in picks}
        campaign.tell(masks if masked else {item: "ab"[item % 2] for item in picks})
        campaign.store.labels()
    return picks


@pytest.mark.parametrize("settings", [PIXELS, ENCODED, SCENES], ids=["pixels", "encoded", "scenes"])
def test_a_deleted_photograph_is_left_out_and_said_and_comes_back(
    cli: Cli, photos: Path, tmp_path: Path, settings: Mapping[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    told = started(photos, tmp_path / "c", settings)
    gone, learnt = next(item for item in range(16) if item not in told), told[0]
    for item in (gone, learnt):
        (photos / f"{item:02d}.png").rename(tmp_path / f"{item:02d}.png")
    asked = cli.json("ask", tmp_path / "c", "--budget", 9)
    assert {pick["item"] for pick in asked["picks"]} == set(range(16)) - {gone, *told}
    assert "2 images are missing and left out" in caplog.text
    assert ("without which the fit goes on: 1 (" in caplog.text) == (settings is not ENCODED)
    assert cli.json("pool", tmp_path / "c", "--missing")["missing_files"] == sorted(
        f"{item:02d}.png" for item in (gone, learnt)
    )
    assert cli.json("status", tmp_path / "c")["missing"] == 2
    assert cli.json("add", tmp_path / "c", "--images", photos)["missing"] == 2
    code, _, err = cli("close", tmp_path / "c")
    code, _, err = cli("ask", tmp_path / "c", "--budget", 10)
    assert (code, "budget 10 is larger than the 9 unlabelled images left" in err) == (2, True)
    for item in (gone, learnt):
        (tmp_path / f"{item:02d}.png").rename(photos / f"{item:02d}.png")
    assert len(cli.json("ask", tmp_path / "c", "--budget", 10)["picks"]) == 10
    assert cli.json("status", tmp_path / "c")["missing"] == 0


def test_the_missing_are_retired_by_one_command_and_undo_takes_it_back(cli: Cli, photos: Path, tmp_path: Path) -> None:
    told = started(photos, tmp_path / "c", ENCODED)
    free = [item for item in range(16) if item not in told]
    for item in (told[0], free[0]):
        (photos / f"{item:02d}.png").unlink()
    assert cli.json("remove", tmp_path / "c", "--missing") == {"removed": sorted((told[0], free[0])), "left": 14}
    now = cli.json("status", tmp_path / "c")
    assert (now["missing"], now["labelled"], now["ignored"]) == (0, 5, 2)
    assert cli.json("remove", tmp_path / "c", f"{free[1]:02d}.png")["removed"] == [free[1]]
    assert cli.json("undo", tmp_path / "c")["undone"] == [free[1]]
    assert len(cli.json("ask", tmp_path / "c", "--budget", 9)["picks"]) == 9
    code, _, err = cli("remove", tmp_path / "c", "1.png")
    assert (code, "no image is named 1.png" in err) == (2, True)


@pytest.mark.parametrize("settings", [PIXELS, SCENES], ids=["pixels", "scenes"])
def test_a_photograph_that_was_damaged_since_is_left_out(
    cli: Cli, photos: Path, tmp_path: Path, settings: Mapping[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    told = started(photos, tmp_path / "c", settings)
    bad = [told[1], next(item for item in range(16) if item not in told)]
    for item in bad:
        (photos / f"{item:02d}.png").write_bytes(b"\x89PNG nothing")
    picks = cli.json("ask", tmp_path / "c", "--budget", 9)["picks"]
    assert {pick["item"] for pick in picks} == set(range(16)) - {*told, *bad}
    assert "2 files are not what they were when added, and left out, labelled or not" in caplog.text


def test_a_photograph_deleted_before_it_was_encoded_leaves_a_hole_that_is_filled(photos: Path, tmp_path: Path) -> None:
    shutil.copytree(photos, tmp_path / "whole")
    for name in ("c", "straight"):
        create(tmp_path / name, tmp_path / "whole" if name == "straight" else photos, classes=["a", "b"])
    (photos / "03.png").rename(tmp_path / "03.png")
    with Campaign(tmp_path / "c") as campaign:
        assert campaign.encode() == 16
        assert len(campaign.ask(15).picks) == 15
        campaign.close_round()
    (tmp_path / "03.png").rename(photos / "03.png")
    with Campaign(tmp_path / "c") as campaign, Campaign(tmp_path / "straight") as straight:
        assert np.array_equal(campaign.features()[1], straight.features()[1])
        picks = [[(pick.item, pick.score) for pick in one.ask(9).picks] for one in (campaign, straight)]
        assert {item for item, _ in picks[0]} <= set(range(16))
        tables = [one._table(one.pool, one.directory.features) for one in (campaign, straight)]
        assert all(map(np.array_equal, *map(moments, tables)))


def test_when_all_that_was_labelled_is_gone_the_next_round_is_a_first_one(
    cli: Cli, photos: Path, tmp_path: Path
) -> None:
    for item in started(photos, tmp_path / "c", PIXELS):
        (photos / f"{item:02d}.png").unlink()
    assert cli.json("ask", tmp_path / "c", "--budget", 5)["strategy"] == "random"


def test_missing_images_of_the_test_set_are_not_measured_on(cli: Cli, photos: Path, tmp_path: Path) -> None:
    for number in range(8):
        (tmp_path / "test" / "ab"[number % 2]).mkdir(parents=True, exist_ok=True)
        shutil.copy(photos / f"{number:02d}.png", tmp_path / "test" / "ab"[number % 2] / f"{number}.png")
    pool = tmp_path / "pool"
    for number in range(8, 16):
        (pool / "ab"[number % 2]).mkdir(parents=True, exist_ok=True)
        shutil.copy(photos / f"{number:02d}.png", pool / "ab"[number % 2] / f"{number}.png")
    create(tmp_path / "c", pool, test=tmp_path / "test", labels_from_folders=True, settings=PIXELS)
    (tmp_path / "test" / "a" / "0.png").unlink()
    assert cli.json("run", tmp_path / "c", "--rounds", 1, "--budget", 4)["measured"] == 7
