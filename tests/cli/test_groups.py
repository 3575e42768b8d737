"""What belongs together, a patient or a video, is learnt from or measured on, never both."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.cli.command import Cli

from pickwell.loop.campaign import Campaign

QUICK = ["--encoder", "none", "--strategy", "random", "--set", "training.epochs=1", "--set", "model.width=0.25"]


@pytest.fixture
def patients(tmp_path: Path) -> Path:
    """Eight patients with five images each, in folders and in a table."""
    rng, lines = np.random.default_rng(0), ["path,label,patient"]
    for number in range(40):
        path = tmp_path / f"images/p{number // 5}/{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (12, 12, 3), dtype=np.uint8)).save(path)
        lines.append(f"images/p{number // 5}/{number}.png,{'ab'[number % 2]},p{number // 5}")
    (tmp_path / "list.csv").write_text("\n".join(lines))
    return tmp_path


def sides(where: Path) -> tuple[set[int], set[int]]:
    """The patients that are learnt from, and those that are measured on."""
    with Campaign(where) as campaign:
        labels = campaign.store.labels()

        def patient(items: Iterable[int]) -> set[int]:
            return {int(campaign.pool.item(item).name.split("/")[-2][1:]) for item in items}

        return patient(labels.part(held_out=False)[0].tolist()), patient(labels.part(held_out=True)[0].tolist())


@pytest.mark.parametrize("by", ["patient", "folder"])
def test_a_patient_is_never_on_both_sides(cli: Cli, patients: Path, by: str) -> None:
    cli.json("init", patients / "c", "--images", patients / "list.csv", "--group", by, *QUICK)
    cli.json("run", patients / "c", "--rounds", 4, "--budget", 5)
    learnt, held = sides(patients / "c")
    assert held
    assert not learnt & held
    # Whatever is left is asked in the end, and stays on its side.
    cli.json("run", patients / "c", "--rounds", 4, "--budget", 5)
    learnt, held = sides(patients / "c")
    assert (learnt | held, learnt & held) == (set(range(8)), set())


def test_imported_labels_of_a_patient_stay_together(cli: Cli, patients: Path) -> None:
    cli.json("init", patients / "c", "--images", patients / "list.csv", "--group", "patient", *QUICK)
    for half in (range(0, 40, 2), range(1, 40, 2)):
        lines = [f"{item},{'ab'[item % 2]}" for item in half]
        (patients / "labels.csv").write_text("\n".join(["item,label", *lines]))
        cli.json("tell", patients / "c", patients / "labels.csv", "--import")
    learnt, held = sides(patients / "c")
    assert (learnt | held, learnt & held) == (set(range(8)), set())


def test_a_patient_of_the_test_set_is_left_out_of_the_pool(cli: Cli, patients: Path) -> None:
    rows = (patients / "list.csv").read_text().splitlines()
    (patients / "test.csv").write_text("\n".join([rows[0], rows[1], rows[6]]))
    given = ["--images", patients / "list.csv", "--test", patients / "test.csv", "--group", "patient"]
    made = cli.json("init", patients / "c", *given, *QUICK)
    assert (made["added"], made["reasons"]) == (30, {"of the test set": 10})


def test_labels_of_before_that_are_on_both_sides_are_not_learnt_from(cli: Cli, patients: Path) -> None:
    cli.json("init", patients / "c", "--images", patients / "list.csv", "--group", "patient", *QUICK)
    with Campaign(patients / "c") as campaign:
        labels = campaign.answers.labels({0: "a", 1: "b", 5: "b", 6: "a"})
        campaign.store.tell(labels, source="test", imported=True, held_out={1})
        campaign.fit()
        assert [len(part) for part in (campaign.sides().held, campaign.sides().learnt)] == [1, 1]


def test_a_column_that_is_not_there_is_told(cli: Cli, patients: Path) -> None:
    code, _, err = cli("init", patients / "c", "--images", patients / "list.csv", "--group", "ward", *QUICK)
    assert (code, "has no column 'ward'; it has path, label, patient" in err) == (2, True)
    code, _, err = cli(
        "init", patients / "c", "--images", patients / "images", "--classes", "a,b", "--group", "ward", *QUICK
    )
    assert (code, "no table and has no columns; group by 'folder'" in err) == (2, True)


def test_photographs_that_were_saved_again_stay_together(cli: Cli, tmp_path: Path) -> None:
    picture = Path(__file__).parents[2] / "docs/images/label-page.webp"
    page = Image.open(picture).convert("RGB")
    for number in range(10):
        drawn = page.crop((80 * number, 40 * number, 80 * number + 320, 40 * number + 240)).rotate(36 * number)
        for quality in (96, 93):
            path = tmp_path / f"images/{'ab'[number % 2]}/{number}-{quality}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            drawn.save(path, quality=quality)
    given = ["--images", tmp_path / "images", "--labels-from-folders", "--set", "validation.near=0.95"]
    assert cli.json("init", tmp_path / "c", *given)["copies"] == 0
    assert cli.json("status", tmp_path / "c")["grouped"] == 20
    with Campaign(tmp_path / "c") as campaign:
        names = campaign.pool.manifest.names()
        assert [names[first].split("-")[0] for first in campaign.groups()] == [name.split("-")[0] for name in names]
    cli.json("run", tmp_path / "c", "--rounds", 3, "--budget", 5)
    with Campaign(tmp_path / "c") as campaign:
        labels, groups = campaign.store.labels(), campaign.groups()
        learnt, held = (set(groups[labels.part(held_out=side)[0]].tolist()) for side in (False, True))
    assert held
    assert not learnt & held
