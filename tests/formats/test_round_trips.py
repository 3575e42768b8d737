"""What leaves one campaign comes into another as it was: names, classes, people, times, skips and ignores."""

import shutil
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pickwell import formats
from pickwell.campaign.open_campaign import OpenCampaign
from pickwell.cli import main
from pickwell.items import Kind, Label
from pickwell.loop.creation import create

NAMES = (
    *("=1+2.png", "-a.png", "+a.png", "@a.png", "\ttab.png", " space.png", "'quoted'.png", 'double "quotes".png'),
    *("a,b;c.png", "a & <b>.png", "100%25.png", "a?b#c.png", "C:\\back.png", "été.png", "e\u0301te\u0301 2.png"),
    *("می\u200cخواهم.png", "🐈\u200d⬛.png", "Screenshot 3.45\u202fPM.png", "v1.5.png", "sub folder/été.png"),  # noqa: RUF001
)
CLASSES = (
    *("=cat", "-", "+1", "@dog", "'x", 'a "b"', "a,b;c", "<a> & b", "é", "100 %, 2\u3000x", "🐈\u200d⬛"),
    "می\u200cخواهم",  # noqa: RUF001
)
PEOPLE = ("ann@example.com", "=bob", "", "Łucja, “the 3rd”", "-", "é <&> \"'")
WHEN = datetime(2024, 2, 29, 23, 59, 59, 123456, UTC)
FORMATS = [name for name in formats.available() if hasattr(formats.named(name), "KINDS")]


def pickwell(*words: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["pickwell", *map(str, words)])
    with pytest.raises(SystemExit) as end:
        main()
    assert not end.value.code


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("odd")
    for number, name in enumerate(NAMES):
        (root / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (5, 4), (number, 0, 0)).save(root / "photos" / name, "PNG")
    return root / "photos"


def made(photos: Path, root: Path, kind: str) -> Path:
    """A campaign of all photographs."""
    create(root / "campaign", photos, classes=CLASSES, settings={"strategy.name": "random", "task.kind": kind})
    with OpenCampaign(root / "campaign") as campaign:
        assert sorted(campaign.pool.manifest.names()) == sorted(NAMES)
    return root / "campaign"


def standing(root: Path) -> list[Label]:
    with OpenCampaign(root) as campaign:
        return campaign.store.standing()


def said(values: list[str]) -> list[Label]:
    """Of each image something, by somebody; of the first ones when and how long it took."""
    rest: list[Label] = []
    for item, value in enumerate(values):
        kind = {3: Kind.SKIP, 11: Kind.IGNORE, 12: Kind.SKIP}.get(item, Kind.ANSWER)
        known = (1.5 + item / 3, WHEN.replace(microsecond=item)) if item < 14 else (None, None)
        rest.append(Label(item, value if kind is Kind.ANSWER else None, kind, PEOPLE[item % len(PEOPLE)], *known))
    return rest


@pytest.mark.parametrize("name", FORMATS)
def test_odd_names_classes_people_times_and_skips_come_back_identical(
    name: str, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    here = made(photos, tmp_path, "classification")
    shutil.copytree(here, tmp_path / "there")
    with OpenCampaign(here) as campaign:
        labels = said([CLASSES[item % len(CLASSES)] for item in range(len(NAMES))])
        campaign.tell(labels, imported=True)
        stand = campaign.store.standing()
        assert [replace(one, time=None) for one in stand] == [replace(one, time=None) for one in labels]
        assert [one.time for one in stand][:14] == [one.time for one in labels][:14]
    pickwell("export", here, "--format", name, "--out", tmp_path / "out", monkeypatch=monkeypatch)
    assert "wrote 20 labels (3 of them skips and ignores) to" in capsys.readouterr().out
    pickwell("import", tmp_path / "there", tmp_path / "out", "--format", name, monkeypatch=monkeypatch)
    assert standing(tmp_path / "there") == standing(here)
    pickwell("export", tmp_path / "there", "--format", name, "--out", tmp_path / "again", monkeypatch=monkeypatch)
    assert (tmp_path / "again").read_bytes() == (tmp_path / "out").read_bytes()
    capsys.readouterr()
    pickwell("import", here, tmp_path / "out", "--format", name, monkeypatch=monkeypatch)
    assert "kept 0 labels (0 of them corrections), 0 skipped, 0 ignored; 20 were known" in capsys.readouterr().out


@pytest.mark.parametrize("name", [name for name in FORMATS if "segmentation" in formats.tasks_of(formats.named(name))])
def test_masks_with_people_times_and_skips_come_back_identical(
    name: str, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = made(photos, tmp_path, "segmentation")
    shutil.copytree(here, tmp_path / "there")
    draw = np.random.default_rng(0)
    masks = [draw.choice([*range(len(CLASSES)), 255], (4, 5)).astype(np.uint8) for _ in NAMES]
    with OpenCampaign(here) as campaign:
        campaign.tell(said([campaign.task.keep(mask) for mask in masks]), imported=True)
    pickwell("export", here, "--format", name, "--out", tmp_path / "out", monkeypatch=monkeypatch)
    pickwell("import", tmp_path / "there", tmp_path / "out", "--format", name, monkeypatch=monkeypatch)
    assert standing(tmp_path / "there") == standing(here)
