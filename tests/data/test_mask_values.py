"""Masks of 0 and 255, and masks in colours: what their values mean is said, and what is lost is told."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner

from pickwell.cli.commands import app
from pickwell.config import Settings
from pickwell.data.mask_files import MaskFiles
from pickwell.data.pool import Pool
from pickwell.errors import SettingsError
from pickwell.formats import masks
from pickwell.formats.exchange.found import Context
from pickwell.loop.campaign import Campaign
from pickwell.loop.creation import create
from pickwell.tasks.segmentation.mask_values import MaskValues, parse

CLASSES = ("background", "lesion")
PLAIN = {"task.kind": "segmentation", "encoder": "none", "training.epochs": 1}


def scans(root: Path, high: Any = 255) -> tuple[Path, Path]:
    """Twelve pictures with a rectangle each, which their masks show as `high`."""
    images, folder = root / "photos", root / "masks"
    images.mkdir(parents=True)
    folder.mkdir()
    for number in range(12):
        noise = np.random.default_rng(number).integers(0, 256, (48, 64, 3), dtype=np.uint8)
        Image.fromarray(noise).save(images / f"{number}.png")
        mask = np.zeros((48, 64, *np.shape(high)), np.uint8)
        mask[10:30, 10 + number : 40] = high
        Image.fromarray(mask).save(folder / f"{number}.png")
    return images, folder


def started(root: Path, *options: str, high: Any = 255) -> str:
    images, folder = scans(root, high)
    chosen = ["--task", "segmentation", "--encoder", "none", "--images", str(images), "--masks", str(folder)]
    done = CliRunner().invoke(app, ["init", str(root / "c"), *chosen, *options], env={"COLUMNS": "400"})
    assert done.exit_code == 0, done.output
    return done.output


def rectangle(number: int) -> NDArray[np.uint8]:
    mask = np.zeros((48, 64), np.uint8)
    mask[10:30, 10 + number : 40] = 1
    return mask


def test_masks_of_0_and_255_are_warned_of_with_what_mends_them(tmp_path: Path) -> None:
    said = started(tmp_path, "--classes", "background,lesion")
    assert "2 classes: background 12, lesion 0 of 12 masks, 16.0% of whose pixels are void" in said
    assert "warning: no mask shows 'lesion'; if another value stands for it, begin again with" in said
    assert "--mask-values 255=lesion" in said


def test_masks_of_0_and_255_are_learnt_from_once_it_is_said_what_255_means(tmp_path: Path) -> None:
    said = started(tmp_path, "--classes", "background,lesion", "--mask-values", "255=lesion")
    assert "background 12, lesion 12 of 12 masks, 0.0% of whose pixels are void" in said
    assert "warning" not in said
    with Campaign(tmp_path / "c") as campaign:
        assert np.array_equal(campaign.pool.mask(3), rectangle(3))
        assert campaign.settings.task.mask_values == {"255": "lesion"}
    assert '255 = "lesion"' in (tmp_path / "c/campaign.toml").read_text()


def test_colours_of_masks_are_named_and_name_the_classes(tmp_path: Path) -> None:
    started(tmp_path, "--mask-values", "#000000=background,#FF0000=lesion", high=(255, 0, 0))
    with Campaign(tmp_path / "c") as campaign:
        assert campaign.settings.task.classes == CLASSES
        assert np.array_equal(campaign.pool.mask(5), rectangle(5))


def test_a_test_set_is_read_by_the_same_values(tmp_path: Path) -> None:
    images, folder = scans(tmp_path / "train")
    test, beside = scans(tmp_path / "test")
    for path in test.iterdir():
        Image.open(path).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(path)
    create(
        tmp_path / "c", images, masks=folder, test=test, test_masks=beside, classes=CLASSES,
        mask_values={"255": "lesion"}, settings=PLAIN,
    )  # fmt: skip
    assert np.array_equal(Pool.open(tmp_path / "c/test").mask(2), rectangle(2))


def test_masks_that_are_told_and_imported_are_read_by_the_same_values(tmp_path: Path) -> None:
    images, folder = scans(tmp_path)
    create(tmp_path / "c", images, classes=CLASSES, mask_values={"255": "lesion"}, settings=PLAIN)
    done = CliRunner().invoke(app, ["import", str(tmp_path / "c"), str(folder), "--format", "masks"])
    assert done.exit_code == 0, done.output
    with Campaign(tmp_path / "c") as campaign:
        labels = campaign.store.labels()
        kept = {item: campaign.task.answer(value) for item, value in zip(labels.items, labels.values, strict=True)}
        assert all(np.array_equal(kept[item], rectangle(int(campaign.pool.item(item).name[:-4]))) for item in range(12))
        answer = campaign.task.read("masks/5.png", tmp_path, (64, 48))
        assert np.array_equal(campaign.task.answer(campaign.task.keep(answer)), rectangle(5))


def test_masks_that_are_exported_come_back_the_same(tmp_path: Path) -> None:
    context = Context("segmentation", CLASSES, given=(("255", 1),))
    mask = np.array([[0, 1, 255]], np.uint8)
    *numbers, void = context.values.numbers
    assert (numbers, void) == ([0, 1], 254)
    written = np.array([[0, 1, 254]], np.uint8)
    assert np.array_equal(context.values.label_map(written), mask)
    assert masks.indices(context) == {0: "background", 1: "lesion", 254: None, 255: "lesion"}


def test_a_value_that_means_nothing_is_named_with_those_that_do() -> None:
    values = MaskValues.named(CLASSES, (), {"128": "lesion", "7": "!unsure"})
    assert values.label_map(np.array([[0, 128, 7, 255, 1]], np.uint8)).tolist() == [[0, 1, 255, 255, 1]]
    with pytest.raises(Exception, match=r"values 9 \(1 pixels\); allowed are 0, 1, 128, and 7 and 255 for what"):
        values.label_map(np.array([[9]], np.uint8))
    coloured = MaskValues.named(CLASSES, (), {"#ff0000": "lesion"})
    assert coloured.label_map(np.array([[0, 0xFF0000, 0xFFFFFF, 0x010101]], np.uint32)).tolist() == [[0, 1, 255, 1]]
    with pytest.raises(Exception, match=r"1 colours that mean nothing: #00ff00 \(2 pixels\); say what each means"):
        coloured.label_map(np.array([[0x00FF00, 0x00FF00]], np.uint32))


@pytest.mark.parametrize(
    ("pairs", "sentence"),
    [
        ("lesion", "give each as VALUE=CLASS"),
        ("300=lesion", "'300' is no value of a mask"),
        ("#ff=lesion", "'#ff' is no value of a mask"),
        ("255=leison", "unknown class 'leison'; did you mean 'lesion'"),
        ("0=lesion", "no value of a mask means 'background'"),
    ],
)
def test_values_that_cannot_be_are_refused(pairs: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        MaskValues.named(CLASSES, (), parse(pairs))


def test_only_masks_have_values(tmp_path: Path) -> None:
    settings = Settings.parse({"name": "x", "task": {"classes": ["a", "b"], "mask_values": {"255": "b"}}})
    assert settings.task.mask_values == {"255": "b"}
    with pytest.raises(SettingsError, match=r"'task\.mask_values' is .*: only masks have such values"):
        create(tmp_path / "c", "digits", mask_values={"255": "b"}, settings={"encoder": "none"})


def test_a_folder_of_masks_keeps_what_its_values_mean(tmp_path: Path) -> None:
    files = MaskFiles(tmp_path, 2, (), given=(("255", 1), ("#ff0000", 1)))
    assert MaskFiles.restore(files.record()) == files
    assert MaskFiles.restore({k: v for k, v in files.record().items() if k != "given"}).given == ()
