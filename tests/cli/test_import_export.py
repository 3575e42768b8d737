"""Labels in and out by the command line: kept whole, refused whole, and the same after a round trip."""

import csv
import json
import os
import re
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.cli.command import Cli

from pickwell.loop.campaign import Campaign
from pickwell.loop.creation import create
from pickwell.tasks.segmentation.label_maps import encode

QUICK: dict[str, Any] = {"model.width": 0.25, "training.epochs": 1, "strategy.name": "random"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("imports")
    for name in ("cat/1.png", "cat/2.png", "dog/1.png", "dog/2 b.png", "dog/3.jpg", "dog/4.jpg"):
        (root / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.effect_noise((16, 16), 40).convert("RGB").save(root / "photos" / name)
    create(root / "pets", root / "photos", settings=QUICK, labels_from_folders=True)
    return root / "pets"


@pytest.fixture
def pets(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "pets")
    return tmp_path / "pets"


def stand(where: Path) -> dict[int, str]:
    with Campaign(where) as campaign:
        labels = campaign.store.labels()
        return dict(zip(labels.items.tolist(), labels.values, strict=True))


def test_labels_that_were_asked_answer_the_round(pets: Path, cli: Cli) -> None:
    picks = cli.json("ask", pets, "--budget", 3)["picks"]
    cli("export", pets, "--format", "label-studio", "--to-label", "--out", pets / "tasks.json")
    tasks = json.loads((pets / "tasks.json").read_text())
    assert [task["data"]["item"] for task in tasks] == [pick["item"] for pick in picks]
    for task in tasks:
        choice = {"type": "choices", "value": {"choices": ["dog"]}}
        task["annotations"] = [{"result": [choice], "completed_by": 4, "lead_time": 2.5, "was_cancelled": False}]
    (pets / "done.json").write_text(json.dumps(tasks))
    kept = cli.json("import", pets, pets / "done.json", "--format", "label-studio", "--asked-only")
    assert (kept["answered"], kept["closed"], kept["unchanged"], kept["left_out"]) == (3, 1, 0, {})
    assert stand(pets) == {pick["item"]: "dog" for pick in picks}
    with Campaign(pets) as campaign:
        assert [(entry.annotator, entry.seconds) for entry in campaign.store.log()] == [("4", 2.5)] * 3
    again = cli.json("import", pets, pets / "done.json", "--format", "label-studio")
    assert (again["answered"], again["unchanged"]) == (0, 3)


@pytest.mark.parametrize("name", ["csv", "cvat", "fiftyone", "folders", "label-studio", "labelme", "yolo"])
def test_classes_go_out_and_come_into_another_campaign(
    pets: Path, made: Path, tmp_path: Path, name: str, cli: Cli
) -> None:
    with Campaign(pets) as campaign:
        campaign.tell({0: "cat", 2: "dog", 5: "cat"}, imported=True)
    code, out, _ = cli("export", pets, "--format", name, "--out", tmp_path / "out")
    assert (code, out) == (0, f"wrote 3 labels to {tmp_path / 'out'}\n")
    shutil.copytree(made, tmp_path / "other")
    code, out, _ = cli("import", tmp_path / "other", tmp_path / "out", "--format", name)
    assert code == 0
    assert out.startswith("kept 3 labels (0 of them corrections), 0 skipped")
    assert stand(tmp_path / "other") == {0: "cat", 2: "dog", 5: "cat"}
    with Campaign(tmp_path / "other") as campaign:
        assert campaign.store.rounds()[0].strategy == "import"
    code, _, err = cli("export", pets, "--format", name, "--out", tmp_path / "out")
    assert code == 2
    assert "is there already; name another place, or remove it" in err


def test_what_is_unknown_is_refused_or_left_out(pets: Path, cli: Cli) -> None:
    path = pets / "labels.csv"
    path.write_text("image,label\ncat/1.png,cat\nelephant.png,cat\n1.png,cat\ndog/2 b.png,wolf\n")
    code, out, err = cli("import", pets, path, "--format", "csv")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    for part in (
        "images that the pool does not have: 1 (elephant.png)",
        "names that fit several images: 1 (1.png)",
        "labels of a class that the campaign does not have: 1 (unknown class 'wolf'",
        "nothing was kept",
    ):
        assert part in err
    assert stand(pets) == {}
    path.write_text("image,label\n" + "".join(f"elephant{number}.png,cat\n" for number in range(9)))
    for option in ("--asked-only", "--skip-unknown"):
        code, out, err = cli("import", pets, path, "--format", "csv", option, "--json")
        told = json.loads(out)
        assert (code, f"pickwell: {told.pop('error')}\n") == (2, err)
        assert told == {"problems": {"images that the pool does not have": [f"elephant{n}.png" for n in range(9)]}}
    path.write_text("image,label\ncat/1.png,cat\nelephant.png,cat\n1.png,cat\ndog/2 b.png,wolf\n")
    kept = cli.json("import", pets, path, "--format", "csv", "--skip-unknown", "--rename", "wolf=dog")
    assert kept["answered"] == 2
    assert list(kept["left_out"].values()) == [["elephant.png"], ["1.png"]]
    assert stand(pets) == {0: "cat", 3: "dog"}


def test_a_label_file_of_any_name_is_kept(pets: Path, tmp_path: Path, cli: Cli) -> None:
    path = tmp_path / os.fsdecode(b"l\xe9.csv")
    path.write_text("item,label\n0,cat\n")
    assert cli.json("tell", pets, path, "--import")["answered"] == 1
    path.write_text("item,label\n1,dog\n")
    assert cli.json("import", pets, path, "--format", "csv")["answered"] == 1
    with Campaign(pets) as campaign:
        assert [entry.source for entry in campaign.store.log()] == ["file l\\udce9.csv", "import csv l\\udce9.csv"]


def test_asking_again_loses_nothing_that_was_typed(pets: Path, cli: Cli) -> None:
    asked = cli.json("ask", pets, "--budget", 3)
    listed = pets / "to-label.csv"
    lines = listed.read_text().splitlines()
    typed = "\n".join([lines[0], lines[1] + "cat", lines[2] + "dog, probably", lines[3]])
    listed.write_text(typed)
    code, out, err = cli("ask", pets, "--budget", 3, "--json")
    assert (code, json.loads(out)) == (0, asked)
    assert err.startswith(f"pickwell: what was in {listed} is kept as {pets / 'to-label-1.csv'}, because it could not")
    assert "line 3 has 6 cells, its header 5; quote values that hold a separator; mend it there and tell it" in err
    assert (pets / "to-label-1.csv").read_text() == typed
    (pets / "to-label-1.csv").write_text(typed.replace("dog, probably", "dog"))
    assert cli.json("tell", pets, pets / "to-label-1.csv")["answered"] == 2


def test_labels_never_asked_can_be_refused(pets: Path, cli: Cli) -> None:
    (pets / "labels.csv").write_text("item,label\n0,cat\n")
    code, _, err = cli("import", pets, pets / "labels.csv", "--format", "csv", "--asked-only")
    assert code == 2
    assert "item 0 was never asked for" in err
    assert stand(pets) == {}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ("import", "x", "--format", "coco"),
            "labels of classification cannot be imported as coco; available: csv, cvat",
        ),
        (("import", "x", "--format", "cvs"), "unknown format 'cvs'; did you mean 'csv'?"),
        (("import", "x", "--format", "csv"), "x cannot be read: missing file"),
        (("import", "x", "--format", "csv", "--background", "cat"), "--background is for masks"),
        (("import", "x", "--format", "csv", "--rename", "a=b"), "--rename a=b: unknown class 'b'"),
        (("export", "--format", "csv", "--out", "x.csv"), "nothing is labelled yet, so there is nothing to export"),
        (
            ("export", "--format", "csv", "--out", "x.csv", "--to-label"),
            "no round is open, so there is no to-label list",
        ),
        (
            ("export", "--format", "label-studio", "--out", "x.json", "--prefix", "http://here/"),
            "--prefix changes nothing there: it goes with --format label-studio --to-label; leave it out",
        ),
        (
            ("export", "--format", "csv", "--to-label", "--out", "x.csv", "--prefix", ""),
            "--prefix changes nothing there: it goes with --format label-studio --to-label; leave it out",
        ),
        (
            ("export", "--format", "folders", "--to-label", "--out", "x", "--copies"),
            "labels of classification cannot be written as a to-label list as folders",
        ),
        (
            ("export", "--format", "csv", "--out", "x.csv", "--copies"),
            "--copies changes nothing there: it goes with --format folders or --format labelme or --format links",
        ),
    ],
)
def test_wrong_commands_are_one_sentence(pets: Path, arguments: tuple[str, ...], sentence: str, cli: Cli) -> None:
    code, out, err = cli(arguments[0], pets, *arguments[1:])
    assert (code, out) == (2, "")
    assert re.search(re.escape(sentence), err), err
    assert err.count("\n") == 1


def test_the_to_label_list_in_every_format(pets: Path, cli: Cli) -> None:
    picks = cli.json("ask", pets, "--budget", 4)["picks"]
    for name in ("csv", "text", "links"):
        told = cli.json("export", pets, "--format", name, "--to-label", "--out", pets / f"list-{name}")
        assert told == {"written": str(pets / f"list-{name}"), "count": 4}
    names = [pick["name"] for pick in picks]
    assert (pets / "list-text").read_text().splitlines() == names
    assert [row["name"] for row in csv.DictReader((pets / "list-csv").read_text().splitlines())] == names
    links = sorted((pets / "list-links").iterdir())
    assert [link.name for link in links] == [f"{n:04d}_{Path(name).name}" for n, name in enumerate(names, 1)]


CLASSES = ("road", "car", "sky")


@pytest.fixture
def streets(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for number in range(4):
        for folder, values in (("photos", rng.integers(0, 255, (24, 32, 3))), ("masks", rng.integers(0, 3, (24, 32)))):
            (tmp_path / folder).mkdir(exist_ok=True)
            data = values.astype(np.uint8)
            if folder == "photos":
                Image.fromarray(data).save(tmp_path / folder / f"{number}.png")
            else:
                (tmp_path / folder / f"{number}.png").write_bytes(encode(data))
    settings = {"task.kind": "segmentation", "strategy.name": "random"}
    create(tmp_path / "streets", tmp_path / "photos", classes=CLASSES, settings=settings)
    return tmp_path / "streets"


@pytest.mark.parametrize("name", ["coco", "csv", "cvat", "label-studio", "labelme", "masks", "voc", "yolo"])
def test_masks_go_out_and_come_back_the_same(streets: Path, tmp_path: Path, name: str, cli: Cli) -> None:
    told = cli.json("import", streets, tmp_path / "masks", "--format", "masks")
    assert told["answered"] == 4
    before = stand(streets)
    cli("export", streets, "--format", name, "--out", tmp_path / "out")
    again = cli.json("import", streets, tmp_path / "out", "--format", name)
    assert (again["answered"], again["unchanged"]) == (0, 4)  # names are of the pixels: the same masks
    with Campaign(streets) as campaign:
        assert campaign.undo()
    assert cli.json("import", streets, tmp_path / "out", "--format", name)["answered"] == 4
    assert stand(streets) == before
    with Campaign(streets) as campaign:
        for number in range(4):
            told_mask = np.asarray(campaign.task.answer(before[number]))
            assert told_mask.tolist() == np.asarray(Image.open(tmp_path / "masks" / f"{number}.png")).tolist()


def test_refused_masks_leave_no_file(streets: Path, tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "masks" / "3.png").write_bytes(encode(np.zeros((24, 31), dtype=np.uint8)))
    (tmp_path / "masks" / "2.png").write_bytes(encode(np.full((24, 32), 3, dtype=np.uint8)))
    code, _, err = cli("import", streets, tmp_path / "masks", "--format", "masks")
    assert code == 2
    assert (
        "labels that do not fit: 2 (2: it has the values 3 (768 pixels), which are no class there, 3: it is 31 x 24"
        in err
    )
    assert stand(streets) == {}
    assert not (streets / "masks").exists()
    assert cli.json("import", streets, tmp_path / "masks", "--format", "masks", "--skip-unknown")["answered"] == 2
    assert sorted(stand(streets)) == [0, 1]


def test_exported_digits_are_images_to_other_programs_and_to_us(cli: Cli, tmp_path: Path) -> None:
    create(tmp_path / "c", "digits", settings=QUICK)
    with Campaign(tmp_path / "c") as campaign:
        campaign.tell({0: "0", 7: "7"}, imported=True)
    cli("export", tmp_path / "c", "--format", "folders", "--out", tmp_path / "out")
    assert sorted(path.name for path in tmp_path.glob("out/*/*/*")) == ["0000.png", "0007.png"]
    assert cli.json("import", tmp_path / "c", tmp_path / "out", "--format", "folders")["unchanged"] == 2


def test_a_zip_archive_is_to_be_unzipped(pets: Path, tmp_path: Path, cli: Cli) -> None:
    file = tmp_path / "export.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("labels/a.txt", "0 0 0 1 1 0 1")
    for name in ("cvat", "folders", "label-studio"):
        said = f"pickwell: {file} is a zip archive; unzip it, and name the file or folder in it\n"
        assert cli("import", pets, file, "--format", name) == (2, "", said)
    assert "is a zip archive, as workbooks are; unzip it, or save it as CSV in UTF-8" in cli("tell", pets, file)[2]
