"""predict, doubt and model, as they are typed."""

import csv
import json
from pathlib import Path

import pytest
from tests.cli.command import Cli

from pickwell.formats.exchange.provenance import MODEL
from pickwell.items import Label
from pickwell.loop.campaign import Campaign


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_predictions_say_how_likely_they_are_and_that_no_person_said_them(cli: Cli, root: Path, tmp_path: Path) -> None:
    told = cli.json("predict", root, "--out", tmp_path / "rest.csv")
    assert (told["predicted"], told["images"]) == (60, 60)
    written = rows(tmp_path / "rest.csv")
    assert len(written) == 60
    assert {row["annotator"] for row in written} == {MODEL}
    assert all(0 < float(row["confidence"]) <= 1 for row in written)
    assert "is there already" in cli("predict", root, "--out", tmp_path / "rest.csv")[2]


def test_predictions_are_no_labels(cli: Cli, root: Path, tmp_path: Path) -> None:
    before = cli.json("status", root)["labelled"]
    cli("predict", root, "--out", tmp_path / "rest.csv")
    assert cli.json("status", root)["labelled"] == before
    for command in (("import", root, tmp_path / "rest.csv", "--format", "csv"), ("tell", root, tmp_path / "rest.csv")):
        code, _, err = cli(*command)
        assert code == 2
        assert "the model's own prediction" in err
    assert cli.json("status", root)["labelled"] == before


def test_label_studio_gets_predictions_to_correct(cli: Cli, root: Path, tmp_path: Path) -> None:
    cli("predict", root, "--out", tmp_path / "pre.json", "--format", "label-studio")
    first = json.loads((tmp_path / "pre.json").read_text())[0]
    assert "annotations" not in first
    (prediction,) = first["predictions"]
    assert prediction["model_version"] == MODEL
    assert 0 < prediction["score"] <= 1
    assert prediction["result"][0]["value"]["choices"][0] in ("checks", "dots", "stripes")


def test_only_what_is_promised_is_written(cli: Cli, root: Path, tmp_path: Path) -> None:
    told = cli.json("predict", root, "--out", tmp_path / "sure.csv", "--accept", "0.95")
    assert 0 < told["predicted"] <= 60
    code, _, err = cli("predict", root, "--out", tmp_path / "none.csv", "--accept", "0.98")
    assert code == 2
    assert "it takes 149 labels that the model does not learn from, and there are 90; label 59 more" in err
    assert not (tmp_path / "none.csv").exists()


def test_images_from_elsewhere(cli: Cli, root: Path, taught: Path, tmp_path: Path) -> None:
    told = cli.json("predict", root, "--out", tmp_path / "new.csv", "--images", taught / "more")
    assert told["predicted"] == 6
    assert [row["name"] for row in rows(tmp_path / "new.csv")] == [
        f"{kind}/{number}.png" for kind in ("checks", "dots", "stripes") for number in (200, 201)
    ]


def test_flipped_labels_are_doubted_and_corrected(cli: Cli, root: Path, tmp_path: Path) -> None:
    with Campaign(root) as campaign:
        labels = campaign.store.labels()
        flipped = labels.items[::20].tolist()
        wrong = {"checks": "dots", "dots": "stripes", "stripes": "checks"}
        truth = {item: str(campaign.pool.item(item).known) for item in flipped}
        campaign.tell([Label(item, wrong[truth[item]]) for item in flipped])
    told = cli.json("doubt", root, "--out", tmp_path / "doubts.csv")
    assert len(flipped) == 3
    assert {one["item"] for one in told["doubts"][:3]} == set(flipped)
    listed = rows(tmp_path / "doubts.csv")
    assert [row["rank"] for row in listed[:2]] == ["1", "2"]
    text = (tmp_path / "doubts.csv").read_text().splitlines()
    filled = [text[0], *(line + row["suggestion"] for line, row in zip(text[1:4], listed[:3], strict=True))]
    (tmp_path / "doubts.csv").write_text("\n".join(filled) + "\n")
    assert cli.json("tell", root, tmp_path / "doubts.csv")["corrected"] == 3
    with Campaign(root) as campaign:
        standing = dict(zip(campaign.store.labels().items.tolist(), campaign.store.labels().values, strict=True))
    assert {item: standing[item] for item in flipped} == truth


@pytest.mark.parametrize("command", ["predict", "model"])
def test_before_any_label_there_is_no_model(command: str, cli: Cli, taught: Path, tmp_path: Path) -> None:
    cli("init", tmp_path / "c", "--images", taught / "more", "--labels-from-folders")
    code, _, err = cli(command, tmp_path / "c", "--out", tmp_path / "out.onnx")
    assert code == 2
    assert "nothing is labelled yet" in err


def test_too_few_labels_are_not_doubted(cli: Cli, taught: Path, tmp_path: Path) -> None:
    cli("init", tmp_path / "c", "--images", taught / "more", "--labels-from-folders")
    cli("run", tmp_path / "c", "--rounds", "1", "--budget", "5")
    code, _, err = cli("doubt", tmp_path / "c")
    assert code == 2
    assert "it takes 50; label 4" in err
