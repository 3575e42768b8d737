import io
import pickle
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from pickwell.data.pool import Pool
from pickwell.errors import PoolError, SettingsError
from pickwell.experiments.data import sets
from pickwell.experiments.data.prepare import Prepared, prepare
from pickwell.experiments.data.sets.camvid_tiles import SIDE, TILE
from pickwell.experiments.data.sets.cifar import GROUPS
from pickwell.experiments.experiment import Experiment


def experiment(name: str, **data: Any) -> Experiment:
    return Experiment.parse(
        {"title": name, "data": {"set": name, **data}, "start": {"labels": 2}, "rounds": {"count": 1, "budget": 1},
         "methods": {"random": {}}, "model": {"image_size": 8}}
    )  # fmt: skip


def made(name: str, data: Path, root: Path, **settings: Any) -> Prepared:
    return prepare(experiment(name, **settings), data, root)


def shown(pool: Pool, item: int) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(pool.bytes(item)))).transpose(2, 0, 1).reshape(-1)


@pytest.mark.parametrize("layout", ["cifar_python", "cifar_binary"])
@pytest.mark.parametrize("hundred", [False, True])
def test_cifar_batches_lose_nothing(tmp_path: Path, trees: ModuleType, layout: str, hundred: bool) -> None:
    pixels, labels = getattr(trees, layout)(tmp_path / "data", hundred)
    prepared = made("cifar100" if hundred else "cifar10", tmp_path / "data", tmp_path / "out")
    pool = Pool.open(prepared.pool)
    assert pool.manifest.known() == labels
    for item in range(len(pool)):
        assert np.array_equal(shown(pool, item), pixels[item])
    assert len(Pool.open(prepared.test)) == 4


@pytest.mark.parametrize("inner", ["cifar10", "."])
def test_cifar_parquet_is_read_where_it_lies(tmp_path: Path, trees: ModuleType, inner: str) -> None:
    metadata = {"classes": ",".join(trees.TEN)}
    trees.parquet(tmp_path / "data" / inner / "train.parquet", [0, 1, 2, 1], metadata=metadata)
    trees.parquet(tmp_path / "data" / inner / "test.parquet", [3, 2], metadata=metadata)
    prepared = made("cifar10", tmp_path / "data", tmp_path / "out")
    pool = Pool.open(prepared.pool)
    assert pool.manifest.known() == ["airplane", "automobile", "bird", "automobile"]
    assert pool.sources[0].source.place.startswith(str(tmp_path / "data"))


def test_tiles_are_of_the_class_that_fills_most_of_each(tmp_path: Path) -> None:
    code = {"sky": 0, "road": 3, "car": 8}
    for part, left in (("train", "sky"), ("val", "car"), ("test", "road")):
        mask = np.full((2 * TILE, 3 * TILE + 5), 2, np.uint8)  # a class of no tile
        mask[:, :TILE] = code[left]
        mask[: TILE // 2, TILE : 2 * TILE] = code["road"]  # no more than half
        scene = np.repeat(20 * mask[..., None], 3, 2)
        for folder, image in ((part, scene), (f"{part}annot", mask)):
            (tmp_path / "camvid" / folder).mkdir(parents=True)
            Image.fromarray(image).save(tmp_path / "camvid" / folder / "1.png")
    prepared = made("camvid-tiles", tmp_path, tmp_path / "out")
    pool, test = Pool.open(prepared.pool), Pool.open(prepared.test)
    assert (sorted(map(str, pool.manifest.known())), test.manifest.known()) == (["car"] * 2 + ["sky"] * 2, ["road"] * 2)
    assert prepared.classes == ("car", "road", "sky")
    for item, name in enumerate(pool.manifest.known()):
        assert np.array_equal(shown(pool, item), np.full(3 * SIDE * SIDE, 20 * code[str(name)]))


def test_cifar100_parquet_has_fine_labels(tmp_path: Path, trees: ModuleType) -> None:
    for part in ("train", "test"):
        trees.parquet(tmp_path / "cifar100" / f"{part}.parquet", ["apple", "wolf", "pear"], column="fine_label")
    prepared = made("cifar100", tmp_path, tmp_path / "out")
    assert Pool.open(prepared.pool).manifest.known() == ["apple", "wolf", "pear"]


def test_superclasses_are_twenty_of_five() -> None:
    names = [name for group in GROUPS for name in group]
    assert [len(group) for group in GROUPS] == [5] * 20
    assert len(set(names)) == 100


def test_a_pickle_that_could_run_code_is_refused(tmp_path: Path, trees: ModuleType) -> None:
    trees.cifar_python(tmp_path)

    class Sly:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "touched",))

    (tmp_path / "cifar-10-batches-py/data_batch_3").write_bytes(pickle.dumps({"data": Sly()}))
    with pytest.raises(PoolError, match=r"data_batch_3 is no CIFAR batch: it names pathlib.*kriz/cifar.html"):
        made("cifar10", tmp_path, tmp_path / "out")
    assert not (tmp_path / "touched").exists()


def test_a_cut_off_binary_batch_is_refused(tmp_path: Path, trees: ModuleType) -> None:
    trees.cifar_binary(tmp_path)
    path = tmp_path / "cifar-10-batches-bin/data_batch_2.bin"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(PoolError, match=r"data_batch_2.bin has 12,291 bytes, .* records of 3,073"):
        made("cifar10", tmp_path, tmp_path / "out")


def test_caltech_leaves_the_clutter_out(tmp_path: Path, trees: ModuleType) -> None:
    trees.folders(tmp_path / "256_ObjectCategories", ("001.ak47", "002.american-flag", "257.clutter"), each=4)
    prepared = made("caltech256", tmp_path, tmp_path / "out", test=2, test_draw="balanced", validation=1)
    pool, test = Pool.open(prepared.pool), Pool.open(prepared.test)
    assert prepared.classes == ("001.ak47", "002.american-flag")
    assert sorted(str(name) for name in test.manifest.known()) == ["001.ak47", "002.american-flag"]
    assert len(pool) == 8 - 2 - 1
    assert not set(pool.manifest.names()) & set(test.manifest.names())


def test_groceries_have_the_same_names_wherever_they_lie(tmp_path: Path) -> None:
    fingerprints = set()
    for place in ("one", "another"):
        data = tmp_path / place
        rows = ["path,label,coarse,split"]
        for number, (kind, part) in enumerate(
            [("Lime", "train"), ("Leek", "train"), ("Lime", "train"), ("Leek", "test")]
        ):
            path = data / "grocery" / part / kind / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (9, 9), (60 * number, 0, 0)).save(path)
            rows.append(f"{part}/{kind}/{number}.png,{kind},Fruit,{part}")
        (data / "grocery" / "labels.csv").write_text("\n".join(rows))
        prepared = made("grocery", data, data / "out")
        pool = Pool.open(prepared.pool)
        assert pool.manifest.names() == [f"grocery/train/{name}.png" for name in ("Lime/0", "Leek/1", "Lime/2")]
        assert shown(pool, 2)[0] == 120
        fingerprints.add(prepared.fingerprint)
    assert len(fingerprints) == 1


def imagenet(root: Path, trees: ModuleType) -> None:
    trees.folders(root / "train", ("n01440764", "n01443537"), each=3, suffix=".JPEG")
    (root / "val").mkdir()
    for number in (1, 2, 3):
        (root / "val" / f"ILSVRC2012_val_{number:08d}.JPEG").write_bytes(trees.image(number, kind="JPEG"))


def test_imagenet_by_the_development_kit(tmp_path: Path, trees: ModuleType) -> None:
    imagenet(tmp_path / "imagenet", trees)
    kit = tmp_path / "imagenet/ILSVRC2012_devkit_t12/data"
    kit.mkdir(parents=True)
    (kit / "ILSVRC2012_validation_ground_truth.txt").write_text("2\n1\n2\n")
    synsets = np.array([(1, "n01443537"), (2, "n01440764")], dtype=[("ILSVRC2012_ID", "O"), ("WNID", "O")])
    savemat(kit / "meta.mat", {"synsets": synsets})
    test = Pool.open(made("imagenet", tmp_path, tmp_path / "out").test)
    assert dict(zip((Path(n).name[-6:-5] for n in test.manifest.names()), test.manifest.known(), strict=True)) == {
        "1": "n01440764", "2": "n01443537", "3": "n01440764",
    }  # fmt: skip


def test_imagenet_by_the_solution_list_by_folders_and_by_shards(tmp_path: Path, trees: ModuleType) -> None:
    imagenet(tmp_path / "a/imagenet", trees)
    lines = [f"ILSVRC2012_val_{n:08d},{c} 1 2 3 4" for n, c in ((2, "n01443537"), (1, "n01440764"), (3, "n01443537"))]
    (tmp_path / "a/imagenet/LOC_val_solution.csv").write_text("\n".join(["ImageId,PredictionString", *lines]))
    listed = Pool.open(made("imagenet", tmp_path / "a", tmp_path / "out").test)
    assert sorted(map(str, listed.manifest.known())) == ["n01440764", "n01443537", "n01443537"]

    for part in ("train", "val"):
        trees.folders(tmp_path / "b" / part, ("n01440764", "n01443537"), each=2)
    assert Pool.open(made("imagenet", tmp_path / "b", tmp_path / "out-b").test).manifest.known().count("n01443537") == 2

    for file in ("train-00000-of-00002", "train-00001-of-00002", "validation-00000-of-00001"):
        trees.parquet(tmp_path / "c/imagenet" / f"{file}.parquet", ["n01440764", "n01443537"])
    assert len(Pool.open(made("imagenet", tmp_path / "c", tmp_path / "out-c").pool)) == 4


def test_validation_images_without_classes_are_refused(tmp_path: Path, trees: ModuleType) -> None:
    imagenet(tmp_path / "imagenet", trees)
    with pytest.raises(PoolError, match=r"have no classes: neither ILSVRC2012_validation_ground_truth.txt.*image-net"):
        made("imagenet", tmp_path, tmp_path / "out")


@pytest.mark.parametrize(("name", "page"), [
    ("cifar10", "www.cs.toronto.edu/~kriz/cifar.html"), ("cifar100", "cifar-100-python"),
    ("caltech256", "data.caltech.edu"), ("imagenet", "image-net.org/download.php"), ("camvid", "mi.eng.cam.ac.uk"),
    ("bdd100k", "doc.bdd100k.com/download.html"), ("cityscapes", "www.cityscapes-dataset.com/downloads"),
])  # fmt: skip
def test_missing_files_are_named_with_their_page(tmp_path: Path, name: str, page: str) -> None:
    task = {"task": "segmentation"} if name in ("camvid", "bdd100k", "cityscapes") else {}
    with pytest.raises(PoolError, match=f"is not in .*{page}.*"):
        prepare(experiment(name).changed(task), tmp_path, tmp_path / "out")
    assert not list((tmp_path / "out/pools").glob("*/ready.json"))


def test_sizes_are_exact_or_refused(tmp_path: Path, trees: ModuleType) -> None:
    trees.cifar_binary(tmp_path)
    prepared = made("cifar10", tmp_path, tmp_path / "out", train=15, validation=5, test=3)
    assert (len(Pool.open(prepared.pool)), len(Pool.open(prepared.test))) == (15, 3)
    with pytest.raises(
        PoolError, match=r"cifar10 has 20 labelled images, the experiment needs 21: .*get the set again"
    ):
        made("cifar10", tmp_path, tmp_path / "out", train=16, validation=5)


def test_more_images_than_the_official_set_has_are_refused(tmp_path: Path, trees: ModuleType) -> None:
    from pickwell.experiments.data import pool_drawing

    trees.cifar_binary(tmp_path)
    layout = sets.find("cifar10", tmp_path, tmp_path / "in")
    assert layout.test is not None
    assert (layout.train.official, layout.test.official) == (50_000, 10_000)
    with pytest.raises(PoolError, match=r"has 50,001 labelled images, the official set has 50,000"):
        pool_drawing._check_official(layout.train, 50_001, layout)


def test_a_folder_of_ones_own(tmp_path: Path, trees: ModuleType) -> None:
    trees.folders(tmp_path / "own", ("cat", "dog"), each=5)
    prepared = made(str(tmp_path / "own"), tmp_path, tmp_path / "out", test=4)
    pool, test = Pool.open(prepared.pool), Pool.open(prepared.test)
    assert (prepared.classes, len(pool), len(test)) == (("cat", "dog"), 6, 4)
    with pytest.raises(SettingsError, match="has no test set of its own; say how many"):
        made(str(tmp_path / "own"), tmp_path, tmp_path / "out")
    with pytest.raises(PoolError, match=r"unknown data set 'cifra10'; did you mean 'cifar10'\?"):
        made("cifra10", tmp_path, tmp_path / "out")


def test_one_preparation_serves_all(tmp_path: Path, trees: ModuleType) -> None:
    trees.cifar_binary(tmp_path)
    first = made("cifar10", tmp_path, tmp_path / "out", test=3)
    written = (first.folder / "ready.json").stat().st_mtime_ns
    again = made("cifar10", tmp_path, tmp_path / "out", test=3)
    assert again == first
    assert (first.folder / "ready.json").stat().st_mtime_ns == written
    images = first.images(first.pool, 8, 64)
    assert again.images(again.pool, 8, 64) is images
