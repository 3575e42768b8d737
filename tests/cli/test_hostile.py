import io
import json
import os
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import save_file

from pickwell.cli import main
from pickwell.loop.campaign import Campaign
from pickwell.loop.creation import create

QUICK: dict[str, Any] = {"model.width": 0.25, "training.epochs": 1, "strategy.name": "random"}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for name in ("cat", "dog"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for shade in range(4):
            Image.new("L", (16, 16), 20 * shade + (name == "dog")).save(tmp_path / "photos" / name / f"{shade}.png")
    return tmp_path / "photos"


@pytest.fixture
def labelled(photos: Path, tmp_path: Path) -> Path:
    create(tmp_path / "campaign", photos, settings=QUICK, labels_from_folders=True)
    with Campaign(tmp_path / "campaign") as campaign:
        campaign.run(campaign.oracle("simulated"), rounds=1, budget=6)
    return tmp_path / "campaign"


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["pickwell", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0)


@pytest.mark.parametrize("name", ["what?", "100%20", "a#b", "x y"])
def test_a_directory_of_any_name_holds_its_own_database(photos: Path, tmp_path: Path, name: str) -> None:
    create(tmp_path / "in" / name, photos, settings=QUICK, labels_from_folders=True)
    assert [path.name for path in (tmp_path / "in").iterdir()] == [name]
    with Campaign(tmp_path / "in" / name) as campaign:
        assert campaign.status().images == 8


def test_the_directory_one_stands_in_is_filled(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    create(".", photos, settings=QUICK, labels_from_folders=True)
    assert sorted(os.listdir()) == sorted(os.listdir(tmp_path / "here"))  # noqa: PTH208
    with Campaign(".") as campaign:
        assert campaign.settings.name == "here"


def test_a_link_that_goes_round_is_refused(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "loop").symlink_to("loop")
    assert run(monkeypatch, "init", tmp_path / "loop", "--images", photos, "--labels-from-folders") == 2
    assert "loop already exists" in capsys.readouterr().err


def test_a_wrong_command_is_json_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "init", "x", "--json") == 2
    assert json.loads(capsys.readouterr().out) == {"error": "Missing option '--images'."}


def test_ctrl_c_is_told_of(labelled: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pickwell.campaign.status.status_of", stopped)
    assert run(monkeypatch, "status", labelled) == 130
    assert "stopped; what was acknowledged is kept" in capsys.readouterr().err


def test_nobody_listens(labelled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", None)
    assert run(monkeypatch, "status", labelled, "--json") == 0
    monkeypatch.setattr("sys.stderr", None)
    assert run(monkeypatch, "status", labelled / "nowhere", "--json") == 2


def test_a_terminal_without_the_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(kept, encoding="ascii"))
    assert run(monkeypatch, "--help") == 0
    print("\u00e9", flush=True)
    assert kept.getvalue().endswith(b"\\xe9\n")


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('name = "random"', "", "needs the strategy's name"),
        ('"dog"', '"cow"', "labels, is no class of cat, cow"),
    ],
)
def test_settings_edited_by_hand(
    labelled: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    old: str,
    new: str,
    sentence: str,
) -> None:
    settings = labelled / "campaign.toml"
    text = settings.read_text(encoding="utf-8")
    assert old in text
    settings.write_text(text.replace(old, new), encoding="utf-8-sig")  # as an editor on Windows writes it
    assert run(monkeypatch, "fit", labelled) == 2
    assert sentence in capsys.readouterr().err


def test_an_older_manifest_is_refused(
    labelled: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = labelled / "pool" / "manifest.parquet"
    pq.write_table(pq.read_table(manifest).slice(0, 1), manifest)
    assert run(monkeypatch, "ask", labelled, "--budget", 1) == 2
    assert "its manifest is older than the labels" in capsys.readouterr().err


def test_a_fit_with_other_tensors_is_made_anew(labelled: Path) -> None:
    (fit,) = (labelled / "fits").glob("*.safetensors")
    kept = fit.stat().st_size
    save_file({"x": torch.zeros(1)}, fit)
    with Campaign(labelled) as campaign:
        campaign.fit()
    assert fit.stat().st_size == kept


@pytest.mark.parametrize("name", ["!skip", "a\nb"])
def test_a_class_that_a_list_cannot_hold(photos: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="a class cannot be named"):
        create(tmp_path / "x", photos, classes=[name, "b"])


def test_weights_that_are_nowhere_are_told_of_at_once(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"model.weights is 'nope.pth', which is no file"):
        create(tmp_path / "x", photos, classes=["a", "b"], settings={"model.weights": "nope.pth"})


def test_a_full_disk_while_networks_are_written(
    labelled: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(tensors: object, path: Path, facts: object) -> None:
        path.write_bytes(b"half")
        raise SafetensorError("No space left on device")

    (fit,) = (labelled / "fits").glob("*.safetensors")
    fit.unlink()
    monkeypatch.setattr("pickwell.learner.checkpoints.save_file", full)
    assert run(monkeypatch, "fit", labelled) == 2
    assert "No space left on device; labels and rounds are as they were" in capsys.readouterr().err
    assert not list((labelled / "fits").iterdir())


def test_nothing_left_to_ask(
    labelled: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Campaign(labelled) as campaign:
        campaign.run(campaign.oracle("simulated"), rounds=1, budget=2)
    assert run(monkeypatch, "ask", labelled, "--budget", 1) == 2
    assert "none of the 8 images is left to ask for; add more" in capsys.readouterr().err
