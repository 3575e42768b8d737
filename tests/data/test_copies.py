"""Files of the same bytes are one image under several names."""

import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from pickwell.data.manifest import Manifest
from pickwell.data.mask_files import MaskFiles
from pickwell.data.pool import Pool
from pickwell.formats.exchange.names import Names


@pytest.fixture
def twins(photos: Path) -> Path:
    """Six photographs; of two of them further files under other names."""
    for old, new in (("cat/7.jpg", "cat/7 (1).jpg"), ("cat/7.jpg", "dog/twin.jpg"), ("dog/12.jpg", "zebra/12.jpg")):
        (photos / new).parent.mkdir(exist_ok=True)
        shutil.copy(photos / old, photos / new)
    return photos


def test_five_names_of_a_photograph_are_one_image(twins: Path, tmp_path: Path) -> None:
    pool = Pool.create(tmp_path / "pool", twins)
    assert str(pool.summary) == ("6 images added, 6 in the pool; 3 files are copies of 2 images, and count as these")
    assert pool.manifest.find_all(["cat/7.jpg", "dog/twin.jpg", "zebra/12.jpg"]).tolist() == [0, 0, 5]
    assert pool.manifest.names([0, 5]) == ["cat/7 (1).jpg", "dog/12.jpg"]
    assert [place.name for place in pool.manifest.places(0)] == ["cat/7 (1).jpg", "cat/7.jpg", "dog/twin.jpg"]


def test_a_photograph_that_was_copied_later_is_no_new_image(photos: Path, tmp_path: Path) -> None:
    pool = Pool.create(tmp_path / "pool", photos)
    shutil.copy(photos / "dog/11.jpg", photos / "copy.jpg")
    assert (pool.add(photos).added, len(pool)) == (0, 6)
    assert pool.summary
    assert (pool.summary.copies, pool.summary.copied) == (1, 1)
    # Looked at once: from now on it is in the pool, whichever folder lists it.
    assert pool.add(photos).already == 7
    assert pool.add(tmp_path / "photos").copies == 0
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(photos / "dog", elsewhere / "dog")
    assert (pool.add(elsewhere).copies, len(Pool.open(pool.directory))) == (2, 6)
    assert pool.manifest.find_all(["elsewhere/dog/11.jpg"]).tolist() == [4]


def test_a_copy_stands_in_for_a_photograph_that_is_gone(twins: Path, tmp_path: Path) -> None:
    Pool.create(tmp_path / "pool", twins)
    whole = (twins / "dog/twin.jpg").read_bytes()
    (twins / "cat/7.jpg").unlink()
    (twins / "cat/7 (1).jpg").unlink()
    assert Pool.open(tmp_path / "pool").bytes(0) == whole


def test_names_of_copies_mean_their_image(twins: Path, tmp_path: Path) -> None:
    names = Names(Pool.create(tmp_path / "pool", twins).manifest)
    for name, item in (("dog/twin.jpg", 0), ("twin", 0), ("12.png", 5), ("/data/zebra/12.jpg", 5)):
        assert list(names.find(name)) == [item]


def test_copies_with_other_labels_are_told(twins: Path, tmp_path: Path) -> None:
    shutil.copy(twins / "dog/11.jpg", twins / "11.jpg")
    pool = Pool.create(tmp_path / "pool", twins, labels_from_folders=True)
    assert pool.summary
    assert (pool.summary.copies, pool.summary.copied, pool.summary.differing) == (4, 3, 2)
    assert pool.summary.spoilt == (
        "dog/twin.jpg: came as dog, but is the same image as cat/7 (1).jpg, known as cat",
        "zebra/12.jpg: came as zebra, but is the same image as dog/12.jpg, known as dog",
    )
    assert str(pool.summary).endswith("count as these, though 2 came with another label, which is left out")
    # Of a labelled and an unlabelled file the labelled one is the image.
    assert (pool.item(4).name, pool.item(4).known) == ("dog/11.jpg", "dog")


def test_copies_with_the_same_mask_say_nothing_new(photos: Path, tmp_path: Path) -> None:
    for number, value in ((7, 1), (70, 1), (8, 0), (80, 1)):
        path = tmp_path / f"masks/cat/{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((24, 40), value, np.uint8)).save(path)
    for number in (7, 8):
        shutil.copy(photos / f"cat/{number}.jpg", photos / f"cat/{number}0.jpg")
    pool = Pool.create(tmp_path / "pool", photos, masks=MaskFiles(tmp_path / "masks", 2))
    assert pool.summary
    assert (pool.summary.copies, pool.summary.masks) == (2, 2)
    assert [said.partition(":")[0] for said in pool.summary.spoilt] == ["cat/80.jpg"]


def test_official_sets_keep_their_copies_apart(twins: Path, tmp_path: Path) -> None:
    assert len(Pool.create(tmp_path / "pool", twins, apart=True)) == 9


def test_a_kill_between_manifest_and_copies_loses_no_name(
    twins: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = Pool.create(tmp_path / "pool", twins / "zebra")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("pickwell.data.copies.Copies.append", killed)
        with pytest.raises(KeyboardInterrupt):
            pool.add(twins)
    again = Pool.open(pool.directory)
    assert (len(again), again.add(twins).copies, len(again)) == (6, 3, 6)


def test_a_pool_of_an_older_version_opens_and_grows(photos: Path, tmp_path: Path) -> None:
    pool = Pool.create(tmp_path / "pool", photos)
    table = pq.read_table(pool.manifest.path).select(range(8))
    pq.write_table(table.replace_schema_metadata({"pickwell.manifest": "1"}), pool.manifest.path)
    Image.new("RGB", (9, 9)).save(photos / "new.png")
    old = Pool.open(pool.directory)
    assert (old.item(3).name, old.bytes(3)) == ("cat/10.jpg", (photos / "cat/10.jpg").read_bytes())
    assert (old.add(photos).added, len(old), old.item(6).name) == (1, 7, "new.png")
    assert Manifest.read(old.manifest.path).names() == old.manifest.names()
