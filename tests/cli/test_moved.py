"""Photographs that were moved, renamed or brought elsewhere together with their campaign."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.cli.command import Cli

from pickwell.loop.campaign import Campaign

QUICK = ["--encoder", "none", "--strategy", "random", "--set", "training.epochs=1", "--set", "model.width=0.25"]


@pytest.fixture
def work(cli: Cli, tmp_path: Path) -> Path:
    """A folder with photographs, a test set, and a campaign on them that is begun."""
    root, rng = tmp_path / "work", np.random.default_rng(0)
    for part, count in (("photos", 12), ("held", 2)):
        for number in range(count):
            path = root / part / "ab"[number % 2] / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)).save(path)
    given = ["--images", root / "photos", "--test", root / "held", "--labels-from-folders"]
    cli.json("init", root / "c", *given, *QUICK)
    cli.json("run", root / "c", "--rounds", 1, "--budget", 4)
    return root


def test_a_campaign_and_its_photographs_moved_together_go_on(cli: Cli, work: Path, tmp_path: Path) -> None:
    moved = work.rename(tmp_path / "moved_to")
    assert len(cli.json("ask", moved / "c", "--budget", 3)["picks"]) == 3
    added = cli.json("add", moved / "c", "--images", moved / "photos", "--labels-from-folders")
    assert (added["added"], added["already"], added["total"]) == (0, 12, 12)
    with Campaign(moved / "c") as campaign:
        assert campaign.fit().measured == 2
    # What was added there is found after the next move, too.
    again = moved.rename(tmp_path / "once_more")
    with Campaign(again / "c") as campaign:
        assert campaign.pool.bytes(0) == (again / "photos/a/0.png").read_bytes()


def test_a_campaign_made_in_an_empty_folder_moves_as_well(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "work/c").mkdir(parents=True)
    Image.new("L", (9, 9)).save(tmp_path / "work/1.png")
    cli.json("init", tmp_path / "work/c", "--images", tmp_path / "work", "--classes", "a,b", *QUICK)
    moved = (tmp_path / "work").rename(tmp_path / "moved")
    with Campaign(moved / "c") as campaign:
        assert campaign.pool.bytes(0) == (moved / "1.png").read_bytes()


def test_photographs_that_moved_alone_are_relocated(cli: Cli, work: Path, tmp_path: Path) -> None:
    old, new = work / "photos", tmp_path / "archive"
    shutil.move(old, new)
    with Campaign(work / "c") as campaign, pytest.raises(Exception, match=f"pickwell relocate {work}/c {old} NEW"):
        campaign.pool.bytes(0)
    code, _, err = cli("relocate", work / "c", old, tmp_path / "nowhere")
    assert (code, "cannot look into the folder" in err) == (2, True)
    code, _, err = cli("relocate", work / "c", tmp_path / "other", new)
    assert (code, f"no images of this campaign are in {tmp_path}/other; they are in {work}/held, {old}" in err) == (
        2,
        True,
    )
    code, _, err = cli("relocate", work / "c", old, work / "c/fits")
    assert (code, "none of the pool's images of" in err) == (2, True)
    assert cli.json("relocate", work / "c", old, new) == {"found": 12}
    assert len(cli.json("ask", work / "c", "--budget", 3)["picks"]) == 3
    assert cli.json("add", work / "c", "--images", new)["total"] == 12


def test_a_folder_around_all_of_them_is_relocated_at_once(cli: Cli, work: Path, tmp_path: Path) -> None:
    (work / "c").rename(tmp_path / "c")
    work.rename(tmp_path / "disk")
    assert cli.json("relocate", tmp_path / "c", work, tmp_path / "disk") == {"found": 14}


def test_photographs_that_moved_alone_and_are_added_do_not_double_the_pool(
    cli: Cli, work: Path, tmp_path: Path
) -> None:
    shutil.move(work / "photos", tmp_path / "archive")
    added = cli.json("add", work / "c", "--images", tmp_path / "archive", "--labels-from-folders")
    assert (added["added"], added["copies"], added["total"]) == (0, 12, 12)
    assert len(cli.json("ask", work / "c", "--budget", 3)["picks"]) == 3


def test_sources_of_an_older_version_are_read(cli: Cli, work: Path) -> None:
    path = work / "c/pool/sources.json"
    stored = json.loads(path.read_text())
    del stored["home"]
    path.write_text(json.dumps(stored))
    assert len(cli.json("ask", work / "c", "--budget", 3)["picks"]) == 3
