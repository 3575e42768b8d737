import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import save_file

from pickwell import models, strategies
from pickwell.data.images import to_float
from pickwell.data.pool import Pool
from pickwell.errors import PoolError, SettingsError
from pickwell.experiments.cells import grid
from pickwell.experiments.data import feature_pools
from pickwell.experiments.data.prepare import prepare
from pickwell.experiments.experiment import Experiment
from pickwell.experiments.run.results_folder import ResultsFolder
from pickwell.experiments.run.runner import State, run


@pytest.fixture
def vectors(tmp_path: Path) -> tuple[Path, np.ndarray, list[str]]:
    """A Parquet file of two classes, well apart, and what is in it."""
    rng = np.random.default_rng(0)
    labels = ["left", "right"] * 60
    rows = rng.normal(0, 1, (120, 8)).astype(np.float32)
    rows[:, 0] += np.array([-20.0, 20.0] * 60)
    path = tmp_path / "vectors.parquet"
    pq.write_table(pa.table({"features": rows.tolist(), "label": labels}), path)
    return path, rows, labels


def on(tiny: Experiment, where: Path, **changes: Any) -> Experiment:
    own = {"data.set": str(where), "data.train": 0, "data.test": 30, "model.name": "linear", "start.labels": 6,
           "training.epochs": 60, "training.learning_rate": 1e-2}  # fmt: skip
    return tiny.changed(own | changes)


def test_vectors_keep_their_rows_and_are_standardised_by_the_pool(
    tmp_path: Path, tiny: Experiment, vectors: tuple[Path, np.ndarray, list[str]]
) -> None:
    path, rows, labels = vectors
    prepared = prepare(on(tiny, path), tmp_path, tmp_path / "out")
    kept = {part: np.load(prepared.folder / f"features-{part}.npy") for part in ("pool", "test")}
    assert kept["pool"].mean(0) == pytest.approx(np.zeros(8), abs=1e-5)
    assert kept["pool"].std(0) == pytest.approx(np.ones(8), abs=1e-4)
    for part, directory in (("pool", prepared.pool), ("test", prepared.test)):
        manifest = Pool.open(directory).manifest
        numbers = [int(name.split("/")[1]) for name in manifest.names()]
        assert manifest.known() == [labels[n] for n in numbers]
        pool_rows = rows[[int(n.split("/")[1]) for n in Pool.open(prepared.pool).manifest.names()]]
        assert kept[part] == pytest.approx((rows[numbers] - pool_rows.mean(0)) / pool_rows.std(0), abs=1e-4)
    assert prepared.feature_size() == 8


def test_npy_with_labels_beside_it_is_the_same(
    tmp_path: Path, tiny: Experiment, vectors: tuple[Path, np.ndarray, list[str]]
) -> None:
    path, rows, labels = vectors
    np.save(tmp_path / "vectors.npy", rows)
    np.save(tmp_path / "vectors.labels.npy", np.array(labels))
    ours, theirs = feature_pools.read(tmp_path / "vectors.npy"), feature_pools.read(path)
    assert np.array_equal(ours[0], theirs[0])
    assert ours[1] == theirs[1]


def test_every_pixel_free_method_learns_from_vectors(
    tmp_path: Path, tiny: Experiment, vectors: tuple[Path, np.ndarray, list[str]]
) -> None:
    small = {"steps": 5, "latent": 2, "representation": "features"}
    methods = {"random": {}, "margin": {}, "core-set": {}, "dbal": {"passes": 2}, "vaal": small, "vaal-diverse": small}
    e = on(tiny, vectors[0], methods=methods, seeds=1, **{"model.name": "mlp"})
    bench = ResultsFolder(tmp_path / "out", tmp_path)
    outcomes = run(e, grid(e), bench)
    assert {str(o.cell): o.sentence for o in outcomes if o.state is not State.FINISHED} == {}
    for outcome in outcomes:
        found = json.loads((bench.folder(outcome.cell) / "result.json").read_text())
        assert found["rounds"][-1]["metrics"]["accuracy"] > 0.6
        # Once standardised, one column of eight tells the classes apart, and the few labels leave room for the others:
        # 0.7 is usual, 0.5 chance.
        assert found["features"] == 8


@pytest.mark.parametrize("model", ["linear", "mlp"])
@pytest.mark.parametrize("length", [1, 4, 2100])
def test_vectors_may_be_shorter_and_longer_than_images(
    tmp_path: Path, tiny: Experiment, length: int, model: str
) -> None:
    rows = np.random.default_rng(0).normal(0, 1, (60, length)).astype(np.float32)
    rows[:, 0] += np.array([-20.0, 20.0] * 30)
    np.save(tmp_path / "vectors.npy", rows)
    np.save(tmp_path / "vectors.labels.npy", np.array(["left", "right"] * 30))
    chosen = {"model.name": model, "data.test": 20, "rounds.count": 1}
    e = on(tiny, tmp_path / "vectors.npy", methods={"random": {}, "core-set": {}}, seeds=1, **chosen)
    bench = ResultsFolder(tmp_path / "out", tmp_path)
    for outcome in run(e, grid(e), bench):
        assert outcome.state is State.FINISHED, outcome.sentence
        assert json.loads((bench.folder(outcome.cell) / "result.json").read_text())["features"] == length


@pytest.mark.parametrize("name", strategies.available())
def test_a_strategy_takes_vectors_or_is_refused_once_with_what_to_set(
    tmp_path: Path, tiny: Experiment, vectors: tuple[Path, np.ndarray, list[str]], name: str
) -> None:
    small = {"steps": 4, "latent": 2} if name.startswith("vaal") else {}
    small |= {"vae_steps": 2} if name == "vaal-frozen" else {}
    # The settings' own augmentation, of images: vectors are learnt as they are.
    quick = {"training.epochs": 1, "training.augment": "crop-flip", "model.name": "mlp", "rounds.count": 1, "seeds": 1}
    e = on(tiny, vectors[0], baseline=name, methods={name: small}, **quick)
    bench = ResultsFolder(tmp_path / "out", tmp_path)
    if strategies.create(name, small).needs_images:
        with pytest.raises(SettingsError, match=f'^{name} looks at images, .*; set its representation = "features"$'):
            run(e, grid(e), bench)
        assert not bench.root.exists()
        e = e.changed({f"methods.{name}.representation": "features"})
    (outcome,) = run(e, grid(e), bench)
    assert outcome.state is State.FINISHED, outcome.sentence


def test_a_network_that_takes_images_is_refused_once(
    tmp_path: Path, tiny: Experiment, vectors: tuple[Path, np.ndarray, list[str]]
) -> None:
    bench = ResultsFolder(tmp_path / "out", tmp_path)
    for e in (
        on(tiny, vectors[0], **{"model.name": "small_cnn"}),
        tiny.changed({"data.features": "vae", "variants": {"a": {"model.name": "linear"}, "b": {}}}),
    ):
        with pytest.raises(SettingsError, match=r"model.name is 'small_cnn', .* set it to linear or logistic or mlp"):
            run(e, grid(e), bench)
        assert not bench.root.exists()


@pytest.mark.parametrize("source", ["vae", "network"])
def test_features_of_the_pools_images(tmp_path: Path, tiny: Experiment, source: str) -> None:
    network = models.load("small_cnn", 3, image_size=16)
    save_file(network.state_dict(), tmp_path / "weights.safetensors")
    e = tiny.changed({"data.features": source, "data.feature_size": 8, "data.feature_steps": 3,
                      "data.weights": str(tmp_path / "weights.safetensors")})  # fmt: skip
    prepared = prepare(e, tmp_path, tmp_path / "out")
    rows = np.load(prepared.folder / "features-pool.npy")
    assert rows.shape == (120, 8 if source == "vae" else 128)
    assert np.isfinite(rows).all()
    again = prepare(e, tmp_path, tmp_path / "again")
    assert np.array_equal(np.load(again.folder / "features-pool.npy"), rows)


def test_a_network_without_weights_gives_no_features(tmp_path: Path, tiny: Experiment) -> None:
    with pytest.raises(SettingsError, match=r"need one that has learnt something; name its weight file: data\.weights"):
        prepare(tiny.changed({"data.features": "network"}), tmp_path, tmp_path / "out")


def test_broken_feature_files_are_named(tmp_path: Path, tiny: Experiment, trees: ModuleType) -> None:
    np.save(tmp_path / "alone.npy", np.zeros((4, 3)))
    with pytest.raises(PoolError, match=r"alone.npy is no usable feature file.*NAME.labels.npy"):
        prepare(on(tiny, tmp_path / "alone.npy"), tmp_path, tmp_path / "out")
    np.save(tmp_path / "alone.labels.npy", np.array(["a", "b"]))
    with pytest.raises(PoolError, match=r"has vectors of shape \(4, 3\) for 2 labels"):
        feature_pools.read(tmp_path / "alone.npy")
    np.save(tmp_path / "empty.npy", np.zeros((2, 0)))
    np.save(tmp_path / "empty.labels.npy", np.array(["a", "b"]))
    with pytest.raises(PoolError, match=r"has vectors of shape \(2, 0\) for 2 labels"):
        feature_pools.read(tmp_path / "empty.npy")
    ragged = pa.table({"features": [[1.0, 2.0], [3.0], [4.0, 5.0, 6.0]], "label": ["a", "b", "a"]})
    pq.write_table(ragged, tmp_path / "ragged.parquet")
    with pytest.raises(PoolError, match=r"ragged.parquet is no usable feature file: its lists are not all of one len"):
        feature_pools.read(tmp_path / "ragged.parquet")
    assert not feature_pools.is_file(trees.parquet(tmp_path / "images.parquet", ["a", "b"]))


def test_vectors_stand_in_for_images() -> None:
    rows = np.random.default_rng(0).normal(size=(20, 9)).astype(np.float32)
    source = feature_pools.Vectors(rows)
    ids = torch.tensor([3, 1, 7])
    assert len(source) == 20
    assert np.array_equal(to_float(source.get(ids)).numpy(), rows[[3, 1, 7]])
    batches = list(source.batches(torch.arange(20), 8))
    assert [len(ids) for ids, _ in batches] == [8, 8, 4]
    assert np.array_equal(torch.cat([x for _, x in batches]).numpy(), rows)


def test_the_linear_network_is_a_linear_map() -> None:
    network = models.load("linear", 3, image_size=9).eval()
    x = torch.randn(5, 9)
    weight, bias = network.classifier[1].weight, network.classifier[1].bias  # type: ignore[union-attr, index]
    assert torch.allclose(network(x), x @ weight.T + bias, atol=1e-6)
    assert torch.equal(network.embed(x), x)
    hidden = models.load("mlp", 3, image_size=9, width=0.5)
    assert hidden.embed(torch.zeros(2, 9)).shape == (2, 64)
    assert hidden.has_dropout
    assert "mlp" not in models.available()
