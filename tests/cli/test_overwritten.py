"""Files that hold other pictures than when they were added: no label stays on another picture in silence."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.cli.command import Cli

from pickwell.data.pool import Pool
from pickwell.loop.campaign import Campaign

PIXELS = ["--encoder", "none", "--strategy", "random", "--set", "training.epochs=1", "--set", "model.width=0.25"]


def draw(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (40, 48, 3), dtype=np.uint8)).save(path)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for number in range(12):
        draw(tmp_path / "photos" / f"{number:02d}.png", number)
    return tmp_path / "photos"


def begun(cli: Cli, where: Path, photos: Path, *more: str) -> Path:
    """A campaign with the labels of four images."""
    cli.json("init", where, "--images", photos, "--classes", "a,b", *more)
    (where.parent / "labels.csv").write_text("item,label\n0,a\n1,b\n2,a\n3,b\n")
    cli.json("tell", where, where.parent / "labels.csv", "--import")
    return where


def test_a_label_is_not_used_of_another_picture_and_that_is_said(cli: Cli, photos: Path, tmp_path: Path) -> None:
    where, before = begun(cli, tmp_path / "c", photos, *PIXELS), (photos / "01.png").read_bytes()
    draw(photos / "01.png", 99)
    draw(photos / "07.png", 98)
    os.utime(photos / "02.png")  # written again as it was
    said = "2 files are not what they were when added, and left out, labelled or not (01.png, 07.png)"
    assert said in cli("add", where, "--images", photos)[1]
    assert cli.json("status", where)["missing"] == 2
    with Campaign(where) as campaign:
        assert campaign.missing().tolist() == [1, 7]
        assert 7 not in campaign.unlabelled()
        with pytest.raises(Exception, match=r"'01.png' \(item 1\) can no longer be read: another picture than when it"):
            campaign.pool.view(1, 8)
        assert 1 not in {pick.item for pick in campaign.ask(7).picks}
    (photos / "01.png").write_bytes(before)
    assert cli.json("status", where)["missing"] == 1


def test_overwritten_files_are_taken_as_they_are_and_lose_their_labels(cli: Cli, photos: Path, tmp_path: Path) -> None:
    where = begun(cli, tmp_path / "c", photos, *PIXELS)
    draw(photos / "01.png", 99)
    draw(photos / "07.png", 98)
    (photos / "08.png").write_bytes((photos / "09.png").read_bytes())  # in the pool already
    assert cli.json("renew", where) == {"renewed": [1, 7], "unlabelled": [1]}
    with Campaign(where) as campaign:
        assert campaign.store.labels().items.tolist() == [0, 2, 3]
        assert campaign.missing().tolist() == [8]
        assert {1, 7} <= set(campaign.unlabelled().tolist())
        assert campaign.pool.bytes(1) == (photos / "01.png").read_bytes()
        campaign.fit()
    assert "nothing to renew" in cli("renew", where)[1]


def test_labels_that_are_right_of_the_new_pictures_may_stay(cli: Cli, photos: Path, tmp_path: Path) -> None:
    where = begun(cli, tmp_path / "c", photos, *PIXELS)
    draw(photos / "01.png", 99)
    assert cli.json("renew", where, "--keep-labels") == {"renewed": [1], "unlabelled": []}
    assert cli.json("status", where)["labelled"] == 4


def test_a_picture_that_became_another_is_encoded_anew(cli: Cli, photos: Path, tmp_path: Path) -> None:
    where = begun(cli, tmp_path / "c", photos)
    with Campaign(where) as campaign:
        before = campaign.features()[1].copy()
    draw(photos / "05.png", 99)
    cli.json("renew", where)
    with Campaign(where) as campaign:
        campaign.encode()
        changed = (campaign.features()[1] != before).any(axis=1)
    assert np.flatnonzero(changed).tolist() == [5]


def test_a_file_that_became_another_before_it_was_encoded_has_no_vector(cli: Cli, photos: Path, tmp_path: Path) -> None:
    cli.json("init", tmp_path / "c", "--images", photos, "--classes", "a,b", "--later")
    draw(photos / "05.png", 99)
    with Campaign(tmp_path / "c") as campaign:
        campaign.encode()
        assert np.flatnonzero(np.isnan(campaign.features()[1][:, 0])).tolist() == [5]


def test_files_that_were_only_touched_are_read_once(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = Pool.create(tmp_path / "pool", photos)
    for path in photos.iterdir():
        os.utime(path)
    assert not len(pool.missing())

    def read(*_: object) -> bytes:
        raise AssertionError("read again")

    monkeypatch.setattr("pickwell.data.sources.folder.FolderTree.read", read)
    assert not len(Pool.open(tmp_path / "pool").missing())
