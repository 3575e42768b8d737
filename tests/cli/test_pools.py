"""What becomes of folders as people have them: split, with a campaign in them, with files that nothing reads."""

import shutil
from pathlib import Path

import pytest
from PIL import Image
from tests.cli.command import Cli

from pickwell.data.pool import Pool
from pickwell.errors import PoolError
from pickwell.loop.campaign import Campaign

QUICK = ["--encoder", "none", "--strategy", "random", "--set", "training.epochs=1", "--set", "model.width=0.25"]


def draw(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.effect_noise((24, 16), 60).save(root / name)


@pytest.fixture
def splits(tmp_path: Path) -> Path:
    root = tmp_path / "my data"
    draw(
        root, *(f"{part}/{kind}/{n}.png" for part in ("train", "test", "val") for kind in ("cat", "dog") for n in "123")
    )
    return root


def test_data_in_train_test_and_val_are_of_the_classes_below(cli: Cli, splits: Path, tmp_path: Path) -> None:
    made = cli.json("init", tmp_path / "c", "--images", splits, "--labels-from-folders", *QUICK)
    assert (made["classes"], made["splits"]) == ({"cat": 9, "dog": 9}, ["test", "val", "train"])


def test_class_folders_from_a_mac_and_from_windows_are_one_class(cli: Cli, tmp_path: Path) -> None:
    mac, windows = "cafe\u0301", "caf\u00e9"
    draw(tmp_path / "photos", f"a/{mac}/1.png", f"b/{windows}/2.png", f"b/{windows}/3.png", "b/dog/4.png")
    given = ["--images", tmp_path / "photos", "--labels-from-folders", *QUICK]
    assert sorted(cli.json("init", tmp_path / "c", *given)["classes"].values()) == [1, 3]
    named = cli.json("init", tmp_path / "d", *given, "--classes", f"{windows},dog")
    assert named["classes"] == {windows: 3, "dog": 1}
    assert cli.json("tell", tmp_path / "d", "--known")["answered"] == 4
    with Campaign(tmp_path / "d") as campaign:
        assert sorted(campaign.store.labels().values) == [windows, windows, windows, "dog"]


def test_and_the_command_to_measure_on_the_test_part_is_said_and_works(cli: Cli, splits: Path, tmp_path: Path) -> None:
    _, out, _ = cli("init", tmp_path / "c", "--images", splits, "--labels-from-folders", *QUICK)
    assert "2 classes: cat 9, dog 9" in out
    said = next(line for line in out.splitlines() if "to measure on one" in line)
    command = said.partition("then: pickwell ")[2]
    assert command == f"init {tmp_path}/c --images '{splits}/train' --test '{splits}/test' --labels-from-folders"
    shutil.rmtree(tmp_path / "c")
    made = cli.json("init", tmp_path / "c", "--images", splits / "train", "--test", splits / "test",
                    "--labels-from-folders", *QUICK)  # fmt: skip
    assert (made["classes"], made["splits"]) == ({"cat": 3, "dog": 3}, [])


def test_a_campaign_among_its_images_is_passed_over_and_so_are_links_to_them(cli: Cli, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    draw(photos, *(f"{number}.png" for number in range(6)))
    cli.json("init", photos / "camp", "--images", photos, "--classes", "a,b", *QUICK)
    cli.json("ask", photos / "camp", "--budget", 4)
    draw(photos, "camp/masks/1.png", "camp/rounds/2.png")
    cli.json("export", photos / "camp", "--format", "links", "--to-label", "--out", photos / "to-label")
    added = cli.json("add", photos / "camp", "--images", photos)
    assert (added["added"], added["already"]) == (0, 6)
    assert added["reasons"] == {"link to another image here": 4, "campaign": 1}


def test_links_into_a_hidden_store_are_images(cli: Cli, tmp_path: Path) -> None:
    draw(tmp_path / "photos", ".store/1.png", ".store/2.png")
    for number in (1, 2):
        (tmp_path / "photos" / f"{number}.png").symlink_to(f".store/{number}.png")
    made = cli.json("init", tmp_path / "c", "--images", tmp_path / "photos", "--classes", "a,b", *QUICK)
    assert (made["added"], made["set_aside"]) == (2, 0)


def test_what_was_left_out_is_listed_with_reasons(cli: Cli, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    draw(photos, "1.png", "2.png", "raw/1.png", "thumb 1.png", "@eaDir/1.png", "x/#recycle/1.png", "lost+found/1.png")
    for number in range(3):
        (photos / f"IMG_{number}.CR2").write_bytes(b"raw")
    (photos / "cut.png").write_bytes((photos / "1.png").read_bytes()[:200])
    where, exclude = tmp_path / "c", ["--exclude", "thumb*", "--exclude", "raw"]
    _, out, _ = cli("init", where, "--images", photos, "--classes", "a,b", *exclude, *QUICK)
    assert "2 images added, 2 in the pool; 9 set aside (3 system folder, 3 camera raw, 2 excluded, 1 truncated)" in out
    assert f"what was set aside, and why: pickwell pool {where} --set-aside" in out
    assert "files" not in cli.json("pool", where)
    files = cli.json("pool", where, "--set-aside")["files"]
    assert {(one["name"], one["reason"]) for one in files} == {
        ("IMG_0.CR2", "camera raw"), ("IMG_1.CR2", "camera raw"), ("IMG_2.CR2", "camera raw"),
        ("@eaDir/", "system folder"), ("x/#recycle/", "system folder"), ("lost+found/", "system folder"),
        ("raw/", "excluded"), ("thumb 1.png", "excluded"), ("cut.png", "truncated"),
    }  # fmt: skip
    _, out, _ = cli("pool", where, "--set-aside")
    assert f"2 files of {photos}" in out
    assert "cut.png" in out
    # What was excluded once stays so, and what is gone is listed no more.
    (photos / "cut.png").unlink()
    draw(photos, "3.png", "thumb 2.png")
    added = cli.json("add", where, "--images", photos, "--exclude", "x")
    assert (added["added"], added["reasons"]) == (1, {"camera raw": 3, "excluded": 4, "system folder": 2})
    assert len(cli.json("pool", where, "--set-aside")["files"]) == 9


def test_links_out_of_the_folder_are_told_and_left_out_on_request(cli: Cli, tmp_path: Path) -> None:
    photos, other = tmp_path / "photos", tmp_path / "other"
    draw(photos, "own.png")
    draw(other, "a.png", "deep/b.png")
    (photos / "a.png").symlink_to(other / "a.png")
    (photos / "deep").symlink_to(other / "deep")
    _, out, _ = cli("init", tmp_path / "c", "--images", photos, "--classes", "a,b", *QUICK)
    assert "3 images added, 3 in the pool; 2 are links out of the folder, shown to all (--follow-links no" in out
    options = ("--images", photos, "--follow-links", "no")
    _, out, _ = cli("init", tmp_path / "d", *options, "--classes", "a,b", *QUICK)
    assert "1 images added, 1 in the pool; 2 set aside (2 link out of the folder)" in out
    # An image that is swapped for a link later is not shown either.
    (photos / "own.png").unlink()
    (photos / "own.png").symlink_to(other / "a.png")
    with pytest.raises(PoolError, match="link out of the folder"):
        Pool.open(tmp_path / "d" / "pool").bytes(0)


def test_what_to_exclude_is_asked_of_folders_alone(cli: Cli, tmp_path: Path) -> None:
    code, _, err = cli("init", tmp_path / "c", "--images", "digits", "--exclude", "7*")
    assert (code, "something to exclude was asked for, but 'digits' is no folder" in err) == (2, True)


def test_pools_of_before_go_on_with_the_outermost_folder_as_class(cli: Cli, tmp_path: Path) -> None:
    draw(tmp_path / "photos", "cat/1.png", "dog/1.png")
    cli.json("init", tmp_path / "c", "--images", tmp_path / "photos", "--labels-from-folders", *QUICK)
    sources = tmp_path / "c" / "pool" / "sources.json"
    text = sources.read_text().replace('"exclude": [],', "").replace('"outermost": false,', "")
    assert "outermost" not in text
    sources.write_text(text)
    draw(tmp_path / "photos", "cat/kitten/2.png")
    cli.json("add", tmp_path / "c", "--images", tmp_path / "photos", "--labels-from-folders")
    with Campaign(tmp_path / "c") as campaign:
        assert campaign.pool.item(2).known == "cat"


def test_labels_of_a_table_are_kept_and_offered_with_the_command(cli: Cli, tmp_path: Path) -> None:
    draw(tmp_path, *(f"{number}.png" for number in range(8)))
    rows = [f"{number}.png,{'cat' if number % 2 else 'dog'}\n" for number in range(8)]
    (tmp_path / "x.csv").write_text("filename,class\n" + "".join(rows))
    _, out, _ = cli("init", tmp_path / "c", "--images", tmp_path / "x.csv", *QUICK)
    assert "2 classes: cat 4, dog 4" in out
    assert f"8 images came with a label, kept for pickwell run; to learn from them: pickwell tell {tmp_path}/c" in out
    cli("tell", tmp_path / "c", "--known")
    now = cli.json("status", tmp_path / "c")
    assert (now["labelled"], now["classes"]) == (8, {"cat": 4, "dog": 4})
    assert cli.json("tell", tmp_path / "c", "--known")["answered"] == 0
    code, _, err = cli("tell", tmp_path / "c")
    assert (code, "give one of them" in err) == (2, True)


def test_a_table_that_contradicts_itself_is_refused_with_both_rows(cli: Cli, tmp_path: Path) -> None:
    draw(tmp_path, "1.png", "2.png")
    (tmp_path / "x.csv").write_text("filename,class\n1.png,cat\n2.png,dog\n./1.png,dog\n2.png,dog\n2.png,\n")
    code, _, err = cli("init", tmp_path / "c", "--images", tmp_path / "x.csv", *QUICK)
    said = f"{tmp_path}/x.csv contradicts itself: 1.png is cat in line 2 and dog in line 4; keep one row an image"
    assert (code, said in err) == (2, True)
    assert not (tmp_path / "c").exists()
