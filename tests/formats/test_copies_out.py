"""An export has a row, a link or an entry for every name of an image, and all of them come back as one label."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from pickwell import formats
from pickwell.config import TaskSettings
from pickwell.data.pool import Pool
from pickwell.formats.exchange.found import Context
from pickwell.formats.exchange.names import Names
from pickwell.formats.exporting import labelled
from pickwell.formats.importing import Importer
from pickwell.formats.to_label_csv import read_labels
from pickwell.items import Kind, Label
from pickwell.tasks.classification.classification import Classification

NAMES = ["a/1.png", "b/1 (copy).png", "b/2.png"]


@pytest.fixture
def pool(tmp_path: Path) -> Pool:
    for number, name in ((1, "a/1.png"), (2, "b/2.png")):
        (tmp_path / "images" / name).parent.mkdir(parents=True)
        Image.new("RGB", (8, 8), (number, 0, 0)).save(tmp_path / "images" / name)
    shutil.copy(tmp_path / "images/a/1.png", tmp_path / "images/b/1 (copy).png")
    return Pool.create(tmp_path / "pool", tmp_path / "images")


@pytest.fixture
def export(pool: Pool, tmp_path: Path) -> Callable[[str], Path]:
    def written(kind: str) -> Path:
        standing = [Label(0, "gull"), Label(1, "tern")]
        task = Classification(TaskSettings(classes=("gull", "tern")), tmp_path)
        formats.named(kind, "write", "classification").write(
            tmp_path / "out", labelled(standing, pool, task, {Kind.ANSWER}), Context("classification", task.classes)
        )
        return tmp_path / "out"

    return written


@pytest.mark.parametrize("kind", ["csv", "label-studio", "cvat", "fiftyone"])
def test_a_label_of_copies_goes_out_and_comes_back(pool: Pool, export: Callable[[str], Path], kind: str) -> None:
    context = Context("classification", ("gull", "tern"))
    found = formats.named(kind, "read", "classification").read(export(kind), context)
    assert len(found) == 3
    importer = Importer(context, pool.manifest, Names(pool.manifest), put=lambda _: "", check=lambda *_: None)
    gathered = importer.gather(found, skip=False, where="")
    assert [(label.item, label.value) for label in gathered.labels] == [(0, "gull"), (1, "tern")]


def test_a_folder_a_class_links_every_name(export: Callable[[str], Path]) -> None:
    out = export("folders")
    links = {link.relative_to(out).as_posix(): link.resolve().name for link in out.rglob("*.png")}
    assert links == {f"gull/{name}": Path(name).name for name in NAMES[:2]} | {"tern/b/2.png": "2.png"}


def test_an_exported_table_is_told_again(pool: Pool, export: Callable[[str], Path]) -> None:
    table = export("csv").rename(pool.directory / "labels.csv")
    assert read_labels(table, pool) == [Label(0, "gull"), Label(1, "tern")]
