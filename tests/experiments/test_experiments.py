import tomllib
from pathlib import Path

import pytest

from pickwell.errors import SettingsError, VersionError
from pickwell.experiments.cells import Cell, grid
from pickwell.experiments.experiment import FULL, PLACES, Experiment, available, load
from pickwell.experiments.run.preflight import check_settings

PAPER = {
    # name: classes' pool, validation, test, first labels, budget, image size, latent, lambda2, batch, seeds
    "cifar10": (45_000, 5_000, 10_000, 5_000, 2_500, 32, 32, 1, 64, 5),
    "cifar100": (45_000, 5_000, 10_000, 5_000, 2_500, 32, 32, 1, 64, 5),
    "imagenet": (1_153_047, 128_120, 50_000, 128_120, 64_060, 224, 64, 10, 64, 2),
    # The masks of the 2,000 test scenes are withheld: the 1,000 for validation are tested on.
    "bdd100k": (7_000, 0, 1_000, 800, 400, 688, 128, 25, 8, 5),
    "cityscapes": (2_675, 300, 500, 300, 150, 688, 128, 25, 8, 5),
    # The paper's sizes of Caltech-256 add up to more images than there are: see the file's note.
    "caltech256": (24_220, 3_000, 2_560, 3_060, 1_530, 224, 64, 10, 64, 5),
}
STEPS = {"cifar10": (5e-4, 5e-4, 5e-4), "cifar100": (5e-4, 5e-4, 5e-4), "caltech256": (5e-4, 5e-4, 5e-4),
         "imagenet": (1e-1, 1e-3, 1e-3), "bdd100k": (1e-3, 1e-3, 1e-3), "cityscapes": (1e-3, 1e-3, 1e-3)}  # fmt: skip
OTHERS = {"ablation", "robust-initial", "robust-budget", "robust-oracle", "robust-network", "sampling-time", "digits",
          "cifar10-small", "camvid-small", "digits-every", "fast-features", "robust-initial-small",
          "ablation-small", "digits-demo", "finding-digits", "finding-cifar10", "saving-digits", "saving-cifar10",
          "saving-tiles", "few-labels-clothing", "few-labels-cifar10", "few-labels-grocery",
          "few-labels-absent", "camvid-finetuned", "photographs-demo"}  # fmt: skip


def test_every_row_of_the_paper_has_its_file() -> None:
    assert set(available()) == PAPER.keys() | OTHERS


@pytest.mark.parametrize("name", PAPER)
def test_the_tables_of_the_paper(name: str) -> None:
    e = load(name)[1]
    vaal = e.methods["vaal"]
    assert PAPER[name] == (
        e.data.train, e.data.validation, e.data.test, e.start.labels, e.rounds.budget, e.model.image_size,
        vaal["latent"], vaal["lambda2"], e.training.batch_size, e.seeds,
    )  # fmt: skip
    alphas = vaal["learning_rate"], vaal["discriminator_learning_rate"], e.training.learning_rate
    assert (alphas, e.training.schedule) == (STEPS[name], "constant")
    assert (vaal["beta"], vaal["lambda1"], e.training.epochs, e.rounds.count) == (1, 1, 100, 6)
    compared = {"random", "core-set", "mc-dropout", "vaal"}
    masks = {"qbc", "suggestive-annotation"}
    assert compared | (masks if e.task == "segmentation" else {"ensemble", "dbal"}) <= e.methods.keys()
    assert e.reference


def test_the_wheel_takes_them_along() -> None:
    root = Path(__file__).parents[2]
    wheel = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    (installed,) = (root / "src" / place for place in wheel["force-include"].values())
    assert wheel["force-include"] == {"experiments": installed.relative_to(root / "src").as_posix()}
    assert installed in PLACES


def test_the_paper_ends_at_40_per_cent() -> None:
    e = load("cifar10")[1]
    assert e.start.labels + e.rounds.count * e.rounds.budget == 0.4 * (e.data.train + e.data.validation)


def test_robustness_and_ablation() -> None:
    def values(name: str, key: str) -> list[object]:
        return [changes[key] for changes in load(name)[1].variants.values()]

    assert values("robust-initial", "start.absent") == [10, 20]
    assert values("robust-budget", "rounds.budget") == [2_500, 5_000, 10_000]
    assert values("robust-oracle", "oracle.noise") == [0.1, 0.2, 0.3]
    assert values("robust-network", "model.name") == ["vgg16_bn", "resnet18"]
    parts = ["random", "vaal-no-vae", "vaal-frozen", "vaal-wasserstein", "vaal"]
    assert list(load("ablation")[1].methods) == parts == list(load("ablation-small")[1].methods)


def test_the_parts_of_vaal_have_its_sizes() -> None:
    parts = load("ablation")[1].methods
    whole = parts["vaal"]
    assert whole == load("bdd100k")[1].methods["vaal"]
    for name in ("vaal-no-vae", "vaal-frozen", "vaal-wasserstein"):
        changed = {key for key, value in parts[name].items() if value != whole.get(key)}
        assert changed == ({"steps", "vae_steps"} if name == "vaal-frozen" else set())
    # Neither wants what the other does in its steps: the VAE and D both get as many as in VAAL.
    assert parts["vaal-frozen"]["vae_steps"] == parts["vaal-frozen"]["steps"] / 2 == whole["steps"]


def test_an_experiment_reads_back_what_it_writes(tmp_path: Path, tiny: Experiment) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(tiny.toml(), encoding="utf-8-sig")  # as an editor on Windows saves it
    assert load(path) == ("mine", tiny)


@pytest.mark.parametrize(("change", "said"), [
    ({"rounds.buget": 3}, r"unknown setting 'rounds.buget'; did you mean 'rounds.budget'\?"),
    ({"rounds.count": -1}, "setting 'rounds.count' is -1"),
    # Neither the whole file is said, nor a whole table.
    ({"baseline": "core-set"}, r"^settings: baseline 'core-set' is none of the methods \(random, margin\); set"),
    ({"methods.full data": {}}, "^settings: setting 'methods': 'full data' is the reference's name; set reference"),
    ({"title.x": 1}, "'title' is a value, not a table"),
    ({"format": "1"}, "setting 'format' is '1': input should be a valid integer"),
    ({"variants": {"a": {"seeds": 3}}}, "^settings: variant 'a' sets seeds, which all variants share; set"),
    ({"published": ["cifar"]}, r"unknown table 'cifar'; did you mean 'cifar10'\? Available: cifar10"),
])  # fmt: skip
def test_what_is_wrong_is_named(tiny: Experiment, change: dict[str, object], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        tiny.changed(change)


def test_unknown_names(tiny: Experiment) -> None:
    with pytest.raises(SettingsError, match=r"unknown experiment 'cifar-10'; did you mean 'cifar10'\?"):
        load("cifar-10")
    with pytest.raises(SettingsError, match=r"unknown method 'vaal'"):
        grid(tiny, ["vaal"])
    (cell, *_) = grid(tiny.changed({"methods.margni": {}}), ["margni"])
    with pytest.raises(SettingsError, match=r"unknown strategy 'margni'; did you mean 'margin'\?"):
        _ = cell.folder
    with pytest.raises(VersionError, match="has format 99, this pickwell reads up to 1"):
        tiny.changed({"format": 99})


def test_the_grid_goes_seed_by_seed(tiny: Experiment) -> None:
    varied = tiny.changed({"variants": {"a": {"rounds.budget": 5}, "b": {}}, "reference": True})
    cells = grid(varied)
    assert [(c.seed, c.variant, c.method) for c in cells[:6]] == [
        (0, "a", "random"), (0, "a", "margin"), (0, "a", FULL), (0, "b", "random"), (0, "b", "margin"), (0, "b", FULL),
    ]  # fmt: skip
    assert len(cells) == 12
    assert [c.seed for c in grid(tiny, ["random"], [3, 5])] == [3, 5]
    # A cell named twice would be counted twice.
    assert [(c.method, c.seed) for c in grid(tiny, ["random", "random"], [3, 3])] == [("random", 3)]


def one(tiny: Experiment, seed: int = 0, method: str = "margin") -> Cell:
    return Cell(tiny, method, seed)


def test_the_name_of_a_cell_follows_what_can_change_its_numbers(tiny: Experiment) -> None:
    cell = one(tiny)
    harmless: list[dict[str, object]] = [
        {"title": "Other"}, {"seeds": 9}, {"training.checkpoint_seconds": 1.0}, {"methods.entropy": {}}
    ]  # fmt: skip
    for change in harmless:
        assert one(tiny.changed(change)).folder == cell.folder
    telling: list[dict[str, object]] = [
        {"data.test": 61}, {"training.epochs": 2}, {"start.absent": 1}, {"oracle.noise": 0.1}, {"rounds.count": 1}
    ]  # fmt: skip
    for change in telling:
        assert one(tiny.changed(change)).key != cell.key
    assert one(tiny, seed=1).key != cell.key != one(tiny, method="random").key
    renamed = tiny.changed({"methods.other": {"strategy": "margin"}})
    assert one(renamed, method="other").folder == cell.folder


def test_defaults_of_a_strategy_are_part_of_the_name(tiny: Experiment) -> None:
    def key(settings: dict[str, float]) -> str:
        return one(tiny.changed({"methods.vaal": settings}), method="vaal").key

    assert key({}) == key({"beta": 1.0}) != key({"beta": 2.0})


def test_the_reference_is_shared_by_variants_of_the_budget(tiny: Experiment) -> None:
    varied = tiny.changed({"variants": {"a": {"rounds.budget": 5}, "b": {"start.labels": 7}}, "reference": True})
    references = [cell for cell in grid(varied, seeds=[0]) if cell.method == FULL]
    assert references[0].folder == references[1].folder
    assert references[0].rounds == 0


@pytest.mark.parametrize("name", available())
def test_every_method_of_every_experiment_exists_and_takes_its_settings(name: str) -> None:
    cells = grid(load(name)[1], seeds=[0])
    assert len({(cell.variant, cell.method): cell.key for cell in cells}) == len(cells)
    check_settings(cells)
