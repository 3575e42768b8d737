"""What pools are named by, when they are made anew, and which are refused."""

import os
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from safetensors.torch import save_file
from typer.testing import CliRunner

from pickwell import models
from pickwell.cli.commands import app
from pickwell.errors import PoolError, SettingsError, TrainingError
from pickwell.experiments.cells import SHARED, grid
from pickwell.experiments.data import data_changes, feature_pools, prepare
from pickwell.experiments.experiment import Experiment
from pickwell.experiments.run import runner
from pickwell.experiments.run.results_folder import ResultsFolder
from pickwell.experiments.run.runner import State, attempt, run


def own(folder: Path, task: str = "classification", **data: Any) -> Experiment:
    return Experiment.parse(
        {"title": "own", "task": task, "seeds": 1, "data": {"set": str(folder), "test": 4, **data},
         "start": {"labels": 2}, "rounds": {"count": 1, "budget": 1}, "methods": {"random": {}},
         "model": {"image_size": 8}, "training": {"epochs": 1, "batch_size": 4}}
    )  # fmt: skip


@pytest.fixture
def photos(tmp_path: Path, trees: ModuleType) -> Path:
    trees.folders(tmp_path / "photos", ("cat", "dog"), each=6)
    return tmp_path / "photos"


def test_other_code_makes_pools_of_its_own(tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = prepare.prepare(own(photos), tmp_path, tmp_path / "out")
    monkeypatch.setattr(prepare, "pools_digest", lambda _: "f" * 64)
    after = prepare.prepare(own(photos), tmp_path, tmp_path / "out")
    assert before.folder != after.folder
    assert before.fingerprint == after.fingerprint
    # Whoever shows results finds the pool that they are of, whatever code made it.
    assert prepare.prepared(own(photos), tmp_path / "out", before.fingerprint) is not None
    assert prepare.prepared(own(photos), tmp_path / "out", "another") is None


def test_features_are_a_part_of_the_fingerprint_and_of_the_code(
    tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vae: dict[str, Any] = {"features": "vae", "feature_size": 8, "feature_steps": 2}
    plain, embedded = own(photos), own(photos, **vae)
    first = prepare.prepare(embedded, tmp_path, tmp_path / "out").fingerprint
    monkeypatch.setattr(feature_pools, "derive", lambda *_: 7)  # the VAE begins otherwise
    assert prepare.prepare(embedded, tmp_path, tmp_path / "other").fingerprint != first
    assert grid(plain)[0].folder.split(".")[-1] != grid(embedded)[0].folder.split(".")[-1]


def test_variants_of_the_precision_may_be_compared(photos: Path) -> None:
    cells = grid(own(photos).changed({"variants": {"32 bits": {"training.precision": "fp32"}, "as it is": {}}}))
    codes = [cell.folder.split(".")[-1][:SHARED] for cell in cells]
    assert codes[0] == codes[1]
    assert cells[0].key != cells[1].key


def test_images_that_came_later_are_noticed(tmp_path: Path, photos: Path, trees: ModuleType) -> None:
    e, bench = own(photos), ResultsFolder(tmp_path / "out", tmp_path)
    assert [o.state for o in run(e, grid(e), bench)] == [State.FINISHED]
    run(e, grid(e), bench)  # as it was
    (photos / "Thumbs.db").touch()
    run(e, grid(e), bench)  # no image
    trees.folders(tmp_path / "more", ("cat",), each=1)
    next((tmp_path / "more/cat").iterdir()).rename(photos / "cat/new.jpg")
    with pytest.raises(SettingsError, match=r"photos' has changed .* \(12 files then, 13 now\).*choose a new results"):
        run(e, grid(e), bench)
    (photos / "cat/new.jpg").unlink()
    run(e, grid(e), bench)
    later = time.time() + 60
    os.utime(next((photos / "dog").iterdir()), (later, later))
    with pytest.raises(SettingsError, match="has changed"):
        run(e, grid(e), bench)


def test_results_beside_the_images_are_no_change(tmp_path: Path, photos: Path) -> None:
    e, bench = own(photos), ResultsFolder(photos / "results", tmp_path)
    run(e, grid(e), bench)
    (bench.root / "figures").mkdir()
    (bench.root / "figures/curves.png").touch()
    run(e, grid(e), bench)


def test_balanced_test_sets_are_balanced_or_refused(tmp_path: Path, photos: Path) -> None:
    with pytest.raises(SettingsError, match=r"data\.test is 5 for 2 classes, .* give a multiple of 2"):
        prepare.prepare(own(photos, test=5, test_draw="balanced"), tmp_path, tmp_path / "out")
    for image in sorted((photos / "cat").iterdir())[2:]:
        image.unlink()
    with pytest.raises(PoolError, match="2 images of 'cat', a balanced test set wants 3 of each class"):
        prepare.prepare(own(photos, test=6, test_draw="balanced"), tmp_path, tmp_path / "out")


def test_a_test_set_of_void_alone_is_refused(tmp_path: Path, trees: ModuleType) -> None:
    for k in range(6):
        trees.scene(tmp_path / f"photos/{k}.jpg", (16, 24))
        trees.scene(tmp_path / f"drawn/{k}.png", (16, 24), (0, 1))
        trees.scene(tmp_path / f"tested/{k}.jpg", (16, 24))
        trees.scene(tmp_path / f"void/{k}.png", (16, 24), (2, 2))
    names: dict[str, Any] = {"masks": str(tmp_path / "drawn"), "classes": ["road", "sky", "!glare"]}
    tested = {"test_set": str(tmp_path / "tested"), "test_masks": str(tmp_path / "void")}
    with pytest.raises(PoolError, match="none of the 4 masks of the test set has a pixel of a known class"):
        prepare.prepare(own(tmp_path / "photos", "segmentation", **names, **tested), tmp_path, tmp_path / "out")


def test_words_are_no_vectors(tmp_path: Path) -> None:
    np.save(tmp_path / "words.npy", np.array([["a", "b"], ["c", "d"]]))
    np.save(tmp_path / "words.labels.npy", np.array(["x", "y"]))
    with pytest.raises(PoolError, match="is no usable feature file"):
        feature_pools.read(tmp_path / "words.npy")


def test_weights_left_by_a_kill_after_the_result_are_cleared(tmp_path: Path, photos: Path) -> None:
    e, bench = own(photos), ResultsFolder(tmp_path / "out", tmp_path)
    (outcome,) = run(e, grid(e), bench)
    left = bench.folder(outcome.cell) / "fits/0.safetensors"
    left.parent.mkdir()
    left.touch()
    assert attempt(bench, outcome.cell).state is State.FINISHED
    assert not left.parent.exists()


def test_a_run_with_a_failed_cell_ends_with_1(tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "own.toml"
    file.write_text(own(photos).toml(), encoding="utf-8")

    def fails(*_: Any) -> None:
        raise TrainingError("the loss is nan")

    arguments = ["bench", "run", str(file), "--out", str(tmp_path / "out"), "--no-pictures"]
    with monkeypatch.context() as patch:
        patch.setattr(runner, "run_cell", fails)
        assert CliRunner().invoke(app, arguments).exit_code == 1
    assert CliRunner().invoke(app, [*arguments, "--retry"]).exit_code == 0


def test_too_few_images_are_told_part_by_part(tmp_path: Path, photos: Path) -> None:
    said = r"the experiment needs 16: at least 2 to pick from, data\.validation 4, data\.test 10; ask for fewer$"
    with pytest.raises(PoolError, match=rf"has 12 labelled images, {said}"):
        prepare.prepare(own(photos, test=10, validation=4), tmp_path, tmp_path / "out")
    prepare.prepare(own(photos, test=10), tmp_path, tmp_path / "out")


@pytest.mark.parametrize(
    ("task", "data"),
    [
        ("classification", {"set": "fotos"}),
        ("classification", {"set": "fotos.npy"}),
        ("classification", {"set": "photos", "test_set": "fotos"}),
        ("segmentation", {"set": "fotos"}),
    ],
)
def test_a_path_that_is_not_there_is_told_in_full(
    tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch, task: str, data: dict[str, str]
) -> None:
    monkeypatch.chdir(tmp_path)  # paths count from where the command runs
    asked = own(photos, task).changed({f"data.{key}": value for key, value in data.items()})
    with pytest.raises(PoolError, match=f"{tmp_path}/fotos"):
        prepare.prepare(asked, tmp_path, tmp_path / "out")


def test_other_rows_tables_and_labels_are_noticed(tmp_path: Path, photos: Path) -> None:
    images = sorted(photos.rglob("*.jpg"))
    named = pa.table({"image": [path.read_bytes() for path in images], "label": [path.parent.name for path in images]})
    (tmp_path / "rows").mkdir()
    pq.write_table(named, tmp_path / "rows/train.parquet")
    (tmp_path / "rows.csv").write_text("path,label\n" + "".join(f"{path},{path.parent.name}\n" for path in images))
    np.save(tmp_path / "rows.npy", np.eye(12))
    np.save(tmp_path / "rows.labels.npy", np.array(named["label"]))
    later = time.time() + 60
    for place, touched in (
        ("rows", tmp_path / "rows/train.parquet"), ("rows.csv", images[3]), ("rows.npy", tmp_path / "rows.labels.npy"),
    ):  # fmt: skip
        settings = own(tmp_path / place).data
        before = data_changes.stamps(settings, tmp_path / "out")
        data_changes.check(settings, before, tmp_path / "out")
        os.utime(touched, (later, later))
        with pytest.raises(SettingsError, match="has changed"):
            data_changes.check(settings, before, tmp_path / "out")


def test_other_weights_under_the_same_name_are_noticed(tmp_path: Path, photos: Path) -> None:
    file = tmp_path / "seen.safetensors"
    e = own(photos).changed({"model.weights": str(file)})
    bench = ResultsFolder(tmp_path / "out", tmp_path)
    with pytest.raises(SettingsError, match=r"seen\.safetensors', which is no file"):
        run(e, grid(e), bench)
    save_file(models.load("small_cnn", 2, image_size=8).state_dict(), file)
    assert [o.state for o in run(e, grid(e), bench)] == [State.FINISHED]
    os.utime(file)  # written anew, the same
    run(e, grid(e), bench)
    save_file(models.load("small_cnn", 2, image_size=8).state_dict(), file)
    with pytest.raises(SettingsError, match=r"seen\.safetensors' has changed since .* choose a new results folder"):
        run(e, grid(e), bench)


def test_a_report_of_another_experiments_folder_is_refused(tmp_path: Path, photos: Path) -> None:
    e = own(photos)
    run(e, grid(e), ResultsFolder(tmp_path / "out", tmp_path))
    asked = CliRunner().invoke(app, ["bench", "report", "digits", "--out", str(tmp_path / "out")])
    assert isinstance(asked.exception, SettingsError)
    assert "holds results of 'own' with other settings (data.set: " in str(asked.exception)
