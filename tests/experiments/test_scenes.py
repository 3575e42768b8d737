import json
import os
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from pickwell.data.pool import Pool
from pickwell.errors import PoolError, SettingsError
from pickwell.experiments.cells import grid
from pickwell.experiments.data import sets
from pickwell.experiments.data.prepare import Prepared, prepare
from pickwell.experiments.experiment import Experiment, load
from pickwell.experiments.run.results_folder import ResultsFolder
from pickwell.experiments.run.runner import State, run
from pickwell.formats.cityscapes import LABEL_IDS, TRAIN_IDS
from pickwell.report.experiment_page import report

STRIPES = 24


def experiment(name: str, **data: Any) -> Experiment:
    return Experiment.parse(
        {"title": name, "task": "segmentation", "seeds": 1, "data": {"set": name, **data}, "start": {"labels": 2},
         "rounds": {"count": 1, "budget": 1}, "methods": {"random": {}, "vaal": {"steps": 1, "working_size": 16}},
         "model": {"name": "drn_d_22", "width": 0.0625, "image_size": 16},
         "training": {"epochs": 1, "batch_size": 2, "precision": "fp32"}}
    )  # fmt: skip


def made(name: str, data: Path, root: Path, **settings: Any) -> Prepared:
    return prepare(experiment(name, **settings), data, root)


def stripes(prepared: Prepared, item: int = 0, part: str = "pool") -> list[int]:
    """The values of a mask from left to right, each once."""
    row = Pool.open(prepared.folder / part).mask(item)[0].tolist()
    return list(dict.fromkeys(row))


def test_label_ids_become_train_ids() -> None:
    from pickwell.experiments.data.sets.street_scenes import IGNORED

    assert [name for value, name in enumerate(LABEL_IDS) if value not in IGNORED] == list(TRAIN_IDS)


def test_cityscapes_label_ids_are_read_as_the_train_ids(tmp_path: Path, trees: ModuleType) -> None:
    # unlabeled, road, building, bicycle; the files of instances and colours lie beside and are no masks
    prepared = made("cityscapes", trees.cityscapes(tmp_path / "data"), tmp_path / "out")
    assert prepared.classes == TRAIN_IDS
    assert stripes(prepared) == stripes(prepared, part="test") == [255, 0, 2, 18]
    assert (len(Pool.open(prepared.pool)), len(Pool.open(prepared.test))) == (3, 2)
    shown = prepared.shown()
    assert shown is not None
    assert shown[:, [0, 2, 18]].tolist() == [[16 * STRIPES // 4] * 3] * 3
    assert shown.sum() == 3 * 16 * STRIPES * 3 // 4


@pytest.mark.parametrize("old", [False, True])
def test_bdd100k_by_its_new_and_old_names(tmp_path: Path, trees: ModuleType, old: bool) -> None:
    prepared = made("bdd100k", trees.bdd100k(tmp_path / "data", old), tmp_path / "out")
    assert prepared.classes == TRAIN_IDS
    assert stripes(prepared) == [0, 18, 255]
    names = Pool.open(prepared.test).manifest.names()
    assert sorted(names) == ["val-0.jpg", "val-1.jpg"]


def test_camvid_leaves_its_validation_part_out(tmp_path: Path, trees: ModuleType) -> None:
    prepared = made("camvid", trees.camvid(tmp_path / "data"), tmp_path / "out")
    assert (len(prepared.classes), prepared.classes[3]) == (11, "Road")
    assert stripes(prepared, 1) == [1, 3, 255]
    assert (len(Pool.open(prepared.pool)), len(Pool.open(prepared.test))) == (4, 2)


def test_sizes_are_exact_or_refused(tmp_path: Path, trees: ModuleType) -> None:
    trees.camvid(tmp_path, train=3, test=1)
    with pytest.raises(
        PoolError, match=r"camvid has 3 labelled images, the experiment needs 367: data.*; get the set again"
    ):
        prepare(load("camvid-small")[1], tmp_path, tmp_path / "out")
    with pytest.raises(PoolError, match=r"test set of camvid has 1 labelled images, data.test asks for 233.*mi\.eng"):
        made("camvid", tmp_path, tmp_path / "out", train=3, test=233)
    official = {}
    for name in ("camvid", "bdd100k", "cityscapes"):
        layout = sets.find(name, getattr(trees, name)(tmp_path / name), tmp_path)
        assert layout.test is not None
        official[name] = layout.train.official, layout.test.official
    assert official == {"camvid": (367, 233), "bdd100k": (7_000, 1_000), "cityscapes": (2_975, 500)}


def test_a_damaged_mask_is_named(tmp_path: Path, trees: ModuleType) -> None:
    trees.bdd100k(tmp_path)
    path = tmp_path / "bdd100k/labels/sem_seg/masks/train/train-1.png"
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(PoolError, match=r"bdd100k has 2 labelled images, the experiment needs 3: .*train-1\.jpg"):
        made("bdd100k", tmp_path, tmp_path / "out", train=3)


def test_masks_and_task_go_together(tmp_path: Path, trees: ModuleType) -> None:
    trees.camvid(tmp_path)
    with pytest.raises(SettingsError, match="the task is classification, but 'camvid' has masks"):
        prepare(experiment("camvid").changed({"task": "classification"}), tmp_path, tmp_path / "out")
    with pytest.raises(SettingsError, match="the task is segmentation, but 'digits' has no masks"):
        made("digits", tmp_path, tmp_path / "out")
    for change, said in (
        ({"data.features": "vae"}, "data.features are of whole images"),
        ({"data.test_draw": "balanced"}, "a scene with a mask has many classes; use random"),
        ({"start.draw": "stratified"}, "start.draw is stratified, but a scene"),
        ({"task": "classification", "data.masks": "m"}, 'set task = "segmentation"'),
    ):
        with pytest.raises(SettingsError, match=said):
            experiment("camvid").changed(change)


def test_scenes_of_ones_own(tmp_path: Path, trees: ModuleType) -> None:
    for k in range(6):
        trees.scene(tmp_path / f"photos/{k}.jpg", (16, 24))
        trees.scene(tmp_path / f"drawn/{k}.png", (16, 24), (0, 1, 2))
    photos, drawn = str(tmp_path / "photos"), str(tmp_path / "drawn")
    own = {"masks": drawn, "classes": ["road", "!glare", "sky"], "test": 2}
    prepared = made(photos, tmp_path, tmp_path / "out", **own)
    assert prepared.classes == ("road", "sky")
    assert stripes(prepared) == [0, 255, 1]
    assert (len(Pool.open(prepared.pool)), len(Pool.open(prepared.test))) == (4, 2)
    tested = made(photos, tmp_path, tmp_path / "out", **own | {"test_set": photos, "test_masks": drawn})
    assert (len(Pool.open(tested.pool)), len(Pool.open(tested.test))) == (6, 2)
    for lost in ("masks", "classes"):
        with pytest.raises(SettingsError, match=r"name the folders of the masks \(data.masks.* and the classes"):
            made(photos, tmp_path, tmp_path / "out", **{k: v for k, v in own.items() if k != lost})
    with pytest.raises(PoolError, match=r"no images at '.*/phtos': there is no folder .*/phtos; data"):
        made(str(tmp_path / "phtos"), tmp_path, tmp_path / "out", **own)


@pytest.fixture
def bench(tmp_path: Path, trees: ModuleType) -> ResultsFolder:
    trees.camvid(tmp_path / "data", train=6)
    return ResultsFolder(tmp_path / "out", tmp_path / "data")


def results(e: Experiment, bench: ResultsFolder) -> list[dict[str, Any]]:
    outcomes = run(e, grid(e), bench)
    assert [(o.state, o.sentence) for o in outcomes] == [(State.FINISHED, "")] * len(outcomes)
    return [json.loads((bench.folder(o.cell) / "result.json").read_text()) for o in outcomes]


def test_a_grid_of_scenes_and_its_report(bench: ResultsFolder) -> None:
    e = experiment("camvid")
    random, vaal = results(e, bench)
    assert random["rounds"][0]["metrics"] == vaal["rounds"][0]["metrics"]  # paired: one start, one first model
    assert [row["labels"] for row in vaal["rounds"]] == [2, 3]
    for row in vaal["rounds"]:
        # The masks show Road and Void, and Sky, Building or Pole; a class that was neither seen nor said has no IoU.
        assert {"mean_iou", "pixel_accuracy", "iou/Road", "measured"} <= row["metrics"].keys()
        assert row["class_counts"]["Road"] == len(row["picks"])
        assert row["metrics"]["measured"] == 2
    text = report(e, grid(e), bench).path.read_text(encoding="utf-8")
    for words in ("Mean IoU by number of labels", "area under the curve of mean IoU", "Labels saved at equal mean IoU",
                  "IoU of each class", "on crops of 16 pixels"):  # fmt: skip
        assert words in text
    assert "ccuracy" not in re.sub("[Pp]ixel accuracy", "", text)
    with (bench.root / "tables/iou-by-class.csv").open() as lines:
        heading, first, _ = lines.read().splitlines()
    assert heading.startswith("method,seeds,mean_IoU,Sky,")
    assert float(first.split(",")[2]) == pytest.approx(random["rounds"][-1]["metrics"]["mean_iou"], rel=1e-5)


def test_absent_classes_and_an_oracle_that_errs(bench: ResultsFolder) -> None:
    e = experiment("camvid").changed({"methods": {"random": {}}, "start.absent": ["Pole"], "oracle.noise": 1.0})
    (found,) = results(e, bench)
    assert "Pole" not in found["rounds"][0]["class_counts"]
    assert set(found["rounds"][1]["shares"]) == {"absent"}
    masks = list(bench.root.glob("cells/*/masks/*.png"))
    from pickwell.tasks.segmentation.label_maps import decode

    told = [decode(path.read_bytes()) for path in masks]
    assert all((mask == 255).mean() == pytest.approx(1 / 3) for mask in told)  # void stays void, outlines stay right
    assert all((mask != 3)[:, 10].all() for mask in told)  # and where the road is, another class is said
    greedy = e.changed({"start.absent": ["Road"], "oracle.noise": 0.0})
    with pytest.raises(SettingsError, match=r"0 images of the pool show none of Road, start\.labels is 2"):
        run(greedy, grid(greedy), ResultsFolder(bench.root.with_name("other"), bench.data))


REAL = Path(os.environ.get("PICKWELL_DATA", ".")) / "camvid"


@pytest.mark.skipif(not REAL.is_dir(), reason="the real CamVid is not at PICKWELL_DATA")
def test_the_real_camvid_has_the_sizes_that_are_asserted(tmp_path: Path) -> None:
    prepared = prepare(load("camvid-small")[1], REAL.parent, tmp_path)
    pool, shown = Pool.open(prepared.pool), prepared.shown()
    assert (len(pool), len(Pool.open(prepared.test))) == (367, 233)
    assert shown is not None
    assert shown.shape == (367, 11)
    assert (shown.sum(axis=0) > 0).all()
    assert shown[0].sum() == np.sum(pool.mask(0) != 255)
