import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from pickwell.data.decode import Examined, decode, examine
from pickwell.data.opening import Limits
from pickwell.data.pool import LOCK, Pool
from pickwell.data.summary import Summary
from pickwell.errors import BusyError, PoolError, VersionError

Encode = Callable[..., bytes]


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes in bytes of the images that a survey has looked at."""
    sizes: list[int] = []

    def counted(data: bytes, limits: Limits) -> Examined:
        sizes.append(len(data))
        return examine(data, limits)

    monkeypatch.setattr("pickwell.data.scan.examine", counted)
    return sizes


def test_a_folder_of_photographs(photos: Path, tmp_path: Path) -> None:
    pool = Pool.create(tmp_path / "pool", photos, labels_from_folders=True)
    assert pool.summary == Summary(added=6, already=0, set_aside=0, reasons={}, total=6)
    again = Pool.open(tmp_path / "pool")
    assert again.manifest.names() == ["cat/7.jpg", "cat/8.jpg", "cat/9.jpg", "cat/10.jpg", "dog/11.jpg", "dog/12.jpg"]
    assert again.manifest.known() == ["cat"] * 4 + ["dog"] * 2
    assert again.manifest.sizes().tolist() == [[40, 24]] * 6
    assert again.bytes(4) == (photos / "dog/11.jpg").read_bytes()
    assert again.item(4).name == "dog/11.jpg"
    assert np.array_equal(again.view(4, 24), decode(again.bytes(4))[:, 8:32].transpose(2, 0, 1))
    assert sorted(p.name for p in (tmp_path / "pool").iterdir()) == [
        "manifest.parquet",
        "pool.lock",
        "set_aside.parquet",
        "sources.json",
    ]


def spoil(root: Path) -> None:
    """Puts one file of every bad kind into the folder."""
    whole = (root / "cat/7.jpg").read_bytes()
    (root / "cat/cut.jpg").write_bytes(whole[: len(whole) // 2])
    (root / "cat/empty.png").touch()
    (root / "cat/text.jpg").write_text("a shopping list")
    (root / "cat/gone.jpg").symlink_to(root / "nowhere")
    (root / os.fsdecode(b"\xff.jpg")).write_bytes(whole)
    os.mkfifo(root / "pipe.jpg")
    (root / "huge.jpg").write_bytes(whole)
    with (root / "huge.jpg").open("r+b") as sparse:
        sparse.truncate(1 << 30)


def test_bad_files_are_set_aside_with_their_reasons(photos: Path, tmp_path: Path) -> None:
    spoil(photos)
    told: list[tuple[str, int, int]] = []
    pool = Pool.create(tmp_path / "pool", photos, progress=lambda *state: told.append(state))
    reasons = {
        "truncated": 1,
        "empty file": 1,
        "not an image": 1,
        "missing file": 1,
        "name is not UTF-8": 1,
        "not a regular file": 1,
        "too large": 1,
    }
    assert pool.summary is not None
    assert (pool.summary.added, pool.summary.set_aside, pool.summary.reasons) == (6, 7, reasons)
    assert "6 images added, 6 in the pool; 7 set aside (1 " in str(pool.summary)
    assert {(name, reason) for name, reason, _ in pool.set_aside()} == {
        ("cat/cut.jpg", "truncated"),
        ("cat/empty.png", "empty file"),
        ("cat/text.jpg", "not an image"),
        ("cat/gone.jpg", "missing file"),
        ("\\udcff.jpg", "name is not UTF-8"),
        ("pipe.jpg", "not a regular file"),
        ("huge.jpg", "too large"),
    }
    assert ("huge.jpg", "too large", "1,073,741,824 bytes; at most 536,870,912 are read") in pool.set_aside()
    assert told[-1] == ("reading, 7 set aside", 13, 13)


def test_progress_grows_to_the_end(tmp_path: Path, encode: Encode) -> None:
    data = encode(Image.new("RGB", (4, 4)), "PNG")
    for number in range(100):
        (tmp_path / f"{number}.png").write_bytes(data if number % 10 else b"")
    told: list[tuple[str, int, int]] = []
    Pool.create(tmp_path / "pool", tmp_path, threads=3, progress=lambda *state: told.append(state))
    aside = [f"reading, {count} set aside" for count in (4, 7, 10, 10)]
    assert told == [(what, done, 100) for what, done in zip(aside, (32, 64, 96, 100), strict=True)]


def test_a_pool_without_a_readable_image_is_an_error(tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    (images / "notes.txt").write_text("no image")
    with pytest.raises(PoolError, match=r"no image at '.*images': nothing there is an image of a kind that is read"):
        Pool.create(tmp_path / "pool", images)
    (images / "a.jpg").touch()
    (images / "b.jpg").touch()
    (images / "c.jpg").write_text("text")
    with pytest.raises(PoolError, match=r"'.*': 3 set aside \(2 empty file, 1 not an image\); a.jpg: .*; name ano"):
        Pool.create(tmp_path / "pool", images)
    with pytest.raises(PoolError, match="no pool at"):
        Pool.open(tmp_path / "pool")


def test_a_second_pool_in_one_place_is_refused(photos: Path, tmp_path: Path) -> None:
    Pool.create(tmp_path / "pool", photos)
    with pytest.raises(PoolError, match="holds a pool already; add to it with `pickwell add`"):
        Pool.create(tmp_path / "pool", "digits")
    assert len(Pool.open(tmp_path / "pool")) == 6


def test_adding_looks_only_at_what_is_new(photos: Path, tmp_path: Path, measured: list[int], encode: Encode) -> None:
    pool = Pool.create(tmp_path / "pool", photos, labels_from_folders=True)
    measured.clear()
    new = encode(Image.new("RGB", (5, 9)), "PNG")
    (photos / "ant").mkdir()
    (photos / "ant/1.png").write_bytes(new)
    summary = pool.add(photos, labels_from_folders=True)
    assert summary == Summary(added=1, already=6, set_aside=0, reasons={}, total=7)
    assert measured == [len(new)]
    assert pool.item(6).name == "ant/1.png"
    assert pool.manifest.known([6]) == ["ant"]
    assert pool.manifest.sizes([6]).tolist() == [[5, 9]]
    assert pool.add(photos).added == 0
    assert Pool.open(tmp_path / "pool").manifest.names() == pool.manifest.names()


def test_what_was_set_aside_is_tried_again(photos: Path, tmp_path: Path) -> None:
    whole = (photos / "cat/7.jpg").read_bytes() + b"unlike"
    for name in ("a.jpg", "b.jpg"):
        (photos / name).write_bytes(whole[:-106])
    pool = Pool.create(tmp_path / "pool", photos)
    (photos / "a.jpg").write_bytes(whole)
    (photos / "c.jpg").touch()
    assert pool.add(photos) == Summary(1, 6, 2, {"truncated": 1, "empty file": 1}, 7)
    assert pool.item(6).name == "a.jpg"
    assert [(name, reason) for name, reason, _ in pool.set_aside()] == [("b.jpg", "truncated"), ("c.jpg", "empty file")]


def test_a_folder_that_is_closed_for_a_while(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scandir = os.scandir

    def barred(folder: str | Path) -> object:
        if str(folder).endswith("/dog"):
            raise PermissionError(13, "Permission denied", str(folder))
        return scandir(folder)

    with monkeypatch.context() as patch:
        patch.setattr("os.scandir", barred)
        pool = Pool.create(tmp_path / "pool", photos)
        assert pool.add(photos).reasons == {"unreadable file": 1}
        assert pool.set_aside() == [("dog/", "unreadable file", "")]
        with pytest.raises(PoolError, match=r"cannot look into the folder .*dog: Permission denied; make it readable"):
            Pool.create(tmp_path / "other", photos / "dog")
    assert pool.add(photos) == Summary(2, 4, 0, {}, 6)
    assert pool.set_aside() == []


def test_a_folder_within_the_pools_keeps_one_name(photos: Path, tmp_path: Path, encode: Encode) -> None:
    pool = Pool.create(tmp_path / "pool", photos)
    (photos / "dog/new").mkdir()
    (photos / "dog/new/1.png").write_bytes(encode(Image.new("RGB", (4, 4)), "PNG"))
    assert (pool.add(photos / "dog").added, pool.add(photos / "dog/new").added) == (1, 0)
    assert pool.item(6).name == "dog/new/1.png"
    assert len(pool.sources) == 1


def test_a_folder_around_the_pools_brings_only_what_is_new(
    photos: Path, tmp_path: Path, measured: list[int], encode: Encode
) -> None:
    pool = Pool.create(tmp_path / "pool", photos / "cat")
    measured.clear()
    assert pool.add(photos) == Summary(added=2, already=4, set_aside=0, reasons={}, total=6)
    assert len(measured) == 2
    names = ["7.jpg", "8.jpg", "9.jpg", "10.jpg", "dog/11.jpg", "dog/12.jpg"]
    assert pool.manifest.names() == names
    assert pool.bytes(4) == (photos / "dog/11.jpg").read_bytes()
    # New files are found from either folder, once, and those of the inner one also from further outside.
    for number, (folder, where) in enumerate(
        [("dog", photos), ("cat", photos), ("cat", photos / "cat"), ("dog", photos / "dog"), ("cat", tmp_path)]
    ):
        data = encode(Image.new("RGB", (4, 4 + number)), "PNG")
        (photos / folder / f"new{number}.png").write_bytes(data)
        assert pool.add(where).added == 1
        for again in (photos, photos / "cat", photos / "dog", tmp_path):
            assert pool.add(again).added == 0
        assert pool.bytes(len(pool) - 1) == data
    more = ["dog/new0.png", "cat/new1.png", "new2.png", "dog/new3.png", "photos/cat/new4.png"]
    assert Pool.open(tmp_path / "pool").manifest.names() == names + more
    assert pool.set_aside() == []


def test_labels_of_images_that_came_without_are_not_passed_over(photos: Path, tmp_path: Path) -> None:
    pool = Pool.create(tmp_path / "pool", photos / "cat")
    with pytest.raises(PoolError, match=r"4 of these images came with .*cat' already, without labels or masks"):
        pool.add(photos, labels_from_folders=True)
    assert len(Pool.open(tmp_path / "pool")) == 4
    assert pool.add(photos).added == 2


def test_a_file_of_two_folders_is_set_aside_once(photos: Path, tmp_path: Path) -> None:
    whole = (photos / "cat/7.jpg").read_bytes() + b"unlike"
    for name in ("a.jpg", "b.jpg"):
        (photos / "cat" / name).write_bytes(whole[:-106])
    pool = Pool.create(tmp_path / "pool", photos / "cat")
    assert pool.add(photos).reasons == {"truncated": 2}
    assert [name for name, _, _ in pool.set_aside()] == ["cat/a.jpg", "cat/b.jpg"]
    (photos / "cat/a.jpg").write_bytes(whole)
    assert pool.add(photos / "cat").added == 1
    assert [name for name, _, _ in pool.set_aside()] == ["b.jpg"]
    (photos / "cat/b.jpg").write_bytes(whole + b"either")
    assert pool.add(photos).added == 1
    assert pool.set_aside() == []


def test_a_folder_beside_the_pools_is_not_within_it(photos: Path, tmp_path: Path) -> None:
    (photos / "cat").rename(tmp_path / "photos2")
    pool = Pool.create(tmp_path / "pool", tmp_path / "photos2")
    assert pool.add(photos) == Summary(2, 0, 0, {}, 6)


def test_equal_names_of_another_source_are_prefixed(photos: Path, tmp_path: Path, encode: Encode) -> None:
    other = tmp_path / "other" / "photos"
    (other / "cat").mkdir(parents=True)
    mine = encode(Image.new("RGB", (3, 3), "red"), "PNG")
    (other / "cat/7.jpg").write_bytes(mine)
    pool = Pool.create(tmp_path / "pool", photos)
    assert pool.add(other).added == 1
    assert (pool.item(6).name, pool.bytes(6)) == ("photos/cat/7.jpg", mine)
    assert pool.add(other).already == 1
    # A later image of the first source that now bears such a name is not lost in silence.
    (photos / "photos/cat").mkdir(parents=True)
    (photos / "photos/cat/7.jpg").write_bytes(mine)
    assert pool.add(photos).reasons == {"listed twice": 1}
    third = tmp_path / "third" / "photos"
    (third / "cat").mkdir(parents=True)
    theirs = encode(Image.new("RGB", (3, 3), "blue"), "PNG")
    (third / "cat/7.jpg").write_bytes(theirs)
    (third / "free.jpg").write_bytes(mine)
    assert (pool.add(third).added, pool.summary and pool.summary.copies) == (1, 1)
    assert pool.manifest.names([7]) == ["photos-2/cat/7.jpg"]
    assert pool.manifest.find_all(["photos-2/free.jpg"]) == [6]
    assert Pool.open(tmp_path / "pool").bytes(7) == theirs


def test_a_csv_with_duplicates_and_missing_files(photos: Path, tmp_path: Path) -> None:
    table = photos / "list.csv"
    table.write_text("image,label\ncat/8.jpg,tom\ncat/none.jpg,tom\n./cat/8.jpg,tom\ndog/12.jpg,\n\ndog,rex\n")
    pool = Pool.create(tmp_path / "pool", table)
    assert pool.manifest.names() == ["cat/8.jpg", "dog/12.jpg"]
    assert pool.manifest.known() == ["tom", None]
    assert pool.summary is not None
    assert pool.summary.reasons == {"missing file": 1, "listed twice": 1, "not a regular file": 1}


def test_a_parquet_set_with_holes(tmp_path: Path, encode: Encode) -> None:
    images = [encode(Image.new("RGB", (4, 4), (40 * i, 0, 0)), "PNG") for i in range(5)]
    column = [{"bytes": b, "path": None} for b in images]
    column[1] = {"bytes": None, "path": None}
    column[3] = {"bytes": b"junk", "path": None}
    pq.write_table(pa.table({"img": column, "label": list("abcde")}), tmp_path / "set.parquet", row_group_size=2)
    pool = Pool.create(tmp_path / "pool", tmp_path / "set.parquet")
    assert pool.manifest.names() == ["set.parquet/000000", "set.parquet/000002", "set.parquet/000004"]
    assert [pool.bytes(i) for i in range(3)] == images[::2]
    assert pool.manifest.known() == ["a", "c", "e"]
    assert pool.summary is not None
    assert pool.summary.reasons == {"no image in the row": 1, "not an image": 1}


def test_limits_are_kept(photos: Path, tmp_path: Path, encode: Encode) -> None:
    (photos / "small.png").write_bytes(encode(Image.new("RGB", (4, 4)), "PNG"))
    pool = Pool.create(tmp_path / "pool", photos, limits=Limits(pixels=100))
    assert pool.manifest.names() == ["small.png"]
    again = Pool.open(tmp_path / "pool")
    assert again.limits == Limits(pixels=100)
    assert again.add(photos).reasons == {"too large": 6}


def test_an_image_that_went_away_is_named(photos: Path, tmp_path: Path) -> None:
    pool = Pool.create(tmp_path / "pool", photos)
    (photos / "cat/8.jpg").unlink()
    (photos / "cat/9.jpg").write_text("overwritten")
    with pytest.raises(
        PoolError, match=r"the image 'cat/8.jpg' \(item 1\) can no longer be read: missing file: .*put it"
    ):
        pool.bytes(1)
    with pytest.raises(PoolError, match=r"the image 'cat/9.jpg' \(item 2\) can no longer be read: another picture"):
        pool.view(2, 8)


def test_another_writer_is_waited_for_by_the_person(photos: Path, tmp_path: Path) -> None:
    pool = Pool.create(tmp_path / "pool", photos)
    holding = "import filelock, sys; lock = filelock.FileLock(sys.argv[1]).acquire(); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", holding, pool.directory / LOCK], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(BusyError, match=r"another process is adding images to the pool in .*pool; wait"):
            pool.add(photos)
        process.communicate(b"\n")
    assert pool.add(photos).already == 6


def test_damaged_records_are_told(photos: Path, tmp_path: Path) -> None:
    pool = Pool.create(tmp_path / "pool", photos)
    path = pool.directory / "sources.json"
    good = path.read_text()
    path.write_text(good.replace('"version": 1', '"version": 2'))
    with pytest.raises(VersionError, match="has version 2, not 1; install a newer pickwell"):
        Pool.open(pool.directory)
    path.write_text(good[:-20])
    with pytest.raises(PoolError, match=r"sources.json is missing or damaged \(JSONDecodeError"):
        Pool.open(pool.directory)
    path.write_text(good)
    (pool.directory / "set_aside.parquet").write_bytes(b"x")
    with pytest.raises(PoolError, match=r"set_aside.parquet is damaged"):
        Pool.open(pool.directory).set_aside()


@pytest.mark.parametrize("order", ["write_set_aside", "Manifest.append"])
def test_an_addition_cut_short_can_be_repeated(
    order: str, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encode: Encode
) -> None:
    pool = Pool.create(tmp_path / "pool", photos)
    other = tmp_path / "other"
    other.mkdir()
    (other / "1.png").write_bytes(encode(Image.new("RGB", (4, 4)), "PNG"))
    (other / "2.png").touch()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(f"pickwell.data.pool.{order}", killed)
        with pytest.raises(KeyboardInterrupt):
            pool.add(other)
    assert len(Pool.open(pool.directory)) == 6
    assert Pool.open(pool.directory).add(other) == Summary(1, 0, 1, {"empty file": 1}, 7)
    assert len(Pool.open(pool.directory).set_aside()) == 1


def test_the_pool_needs_no_torch(photos: Path, tmp_path: Path) -> None:
    Pool.create(tmp_path / "pool", photos)
    code = (
        "import sys; from pickwell.data.pool import Pool; p = Pool.open(sys.argv[1]); p.view(0, 8); p.bytes(1);"
        "import pickwell.data.scan, pickwell.data.manifest;"
        "sys.exit(bool({'torch', 'sklearn'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code, tmp_path / "pool"], check=False).returncode == 0
