import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path
from threading import Thread, Timer
from typing import Any

import numpy as np
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from filelock import FileLock

from pickwell.errors import PoolError, SettingsError, StoreError, TrainingError, VersionError, WeightsError
from pickwell.executors.processes import Processes
from pickwell.executors.serial import Serial
from pickwell.experiments.cells import SHARED, Cell, grid
from pickwell.experiments.data.prepare import prepare
from pickwell.experiments.experiment import FULL, Experiment
from pickwell.experiments.results import cell_results, results_tables
from pickwell.experiments.run import runner
from pickwell.experiments.run.cell_progress import read_rounds
from pickwell.experiments.run.cell_run import run_cell
from pickwell.experiments.run.results_folder import ResultsFolder
from pickwell.experiments.run.runner import Outcome, State, attempt, run, states
from pickwell.report import experiment_pictures, page
from pickwell.report.experiment_page import report


@pytest.fixture
def bench(tmp_path: Path) -> ResultsFolder:
    return ResultsFolder(tmp_path / "out", tmp_path)


def result(bench: ResultsFolder, cell: Cell) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((bench.folder(cell) / "result.json").read_text())
    return found


def items(found: dict[str, Any], number: int) -> list[int]:
    return [pick["item"] for pick in found["rounds"][number]["picks"]]


def test_a_grid_from_first_label_to_result(bench: ResultsFolder, tiny: Experiment) -> None:
    told: list[tuple[str, int, int]] = []
    cells = grid(tiny)
    outcomes = run(tiny, cells, bench, told=lambda o, done, total, left: told.append((str(o.state), done, total)))
    assert told == [("finished", n, 4) for n in range(1, 5)]
    assert all(o.ran and o.seconds > 0 for o in outcomes)
    found = [result(bench, cell) for cell in cells]

    # Paired: one first set a seed, another for another seed; the same first model, so the same first accuracy.
    assert items(found[0], 0) == items(found[1], 0) != items(found[2], 0)
    assert found[0]["rounds"][0]["metrics"] == found[1]["rounds"][0]["metrics"]
    assert {r["data"] for r in found} == {found[0]["data"]}
    for one in found:
        picked = [item for row in one["rounds"] for item in items(one, row["round"])]
        assert len(picked) == len(set(picked)) == 30 + 2 * 10
        assert [row["labels"] for row in one["rounds"]] == [30, 40, 50]
        assert all(0 <= row["metrics"]["accuracy"] <= 1 and row["metrics"]["measured"] == 60 for row in one["rounds"])
        assert all(row["fit_seconds"] > 0 for row in one["rounds"])
        assert [row["query_seconds"] is None for row in one["rounds"]] == [True, False, False]
        assert (one["resumes"], one["pool"], len(one["classes"])) == (0, 120, 10)
        assert {"device", "name", "cores"} <= one["hardware"].keys()
        assert {"pickwell", "torch", "numpy", "python"} <= one["versions"].keys()
    assert not list(bench.root.glob("cells/*/fits"))

    # What the live table reads: the same rows but for the picks.
    for cell, one in zip(cells, found, strict=True):
        assert read_rounds(bench.folder(cell)) == [
            {key: value for key, value in row.items() if key != "picks"} for row in one["rounds"]
        ]

    # A second run touches nothing.
    before = {path: path.stat().st_mtime_ns for path in bench.root.glob("cells/*/result.json")}
    again = run(tiny, cells, bench)
    assert [(o.state, o.ran) for o in again] == [(State.FINISHED, False)] * 4
    assert {path: path.stat().st_mtime_ns for path in before} == before

    written = results_tables.export(cell_results.results(bench.root, cells)[0], bench.root / "data")
    assert [path.name for path in written] == [
        "results.parquet", "results.csv", "picks.parquet", "picks.csv", "cells.parquet", "cells.csv",
    ]  # fmt: skip
    rows = pq.read_table(bench.root / "data/results.parquet").to_pylist()
    accuracy = [r["value"] for r in rows if (r["metric"], r["method"], r["seed"]) == ("accuracy", "margin", 1)]
    assert accuracy == [row["metrics"]["accuracy"] for row in found[3]["rounds"]]
    assert len(pq.read_table(bench.root / "data/picks.parquet")) == 4 * 50
    assert pyarrow.csv.read_csv(bench.root / "data/cells.csv")["labels"].to_pylist() == [50] * 4


def test_a_failing_cell_is_recorded_and_the_others_go_on(
    bench: ResultsFolder, tiny: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors = {0: ZeroDivisionError("secret detail"), 1: TrainingError("the task model's loss is nan after 3 steps")}

    def sometimes(cell: Cell, *rest: Any) -> dict[str, Any]:
        if cell.method == "margin":
            raise errors[cell.seed]
        return run_cell(cell, *rest)

    monkeypatch.setattr(runner, "run_cell", sometimes)
    outcomes = {(o.cell.method, o.cell.seed): o for o in run(tiny, grid(tiny), bench)}
    assert [outcomes["random", seed].state for seed in (0, 1)] == [State.FINISHED] * 2
    broken, diverged = outcomes["margin", 0], outcomes["margin", 1]
    assert (broken.state, diverged.state) == (State.FAILED, State.DIVERGED)
    assert diverged.sentence == "the task model's loss is nan after 3 steps"
    # What a person sees has no trace in it; the cell has.
    assert "an unexpected ZeroDivisionError" in broken.sentence
    assert "secret" not in broken.sentence
    kept = json.loads((bench.folder(broken.cell) / "failure.json").read_text())
    assert "ZeroDivisionError: secret detail" in kept["trace"]

    # Not tried again by itself, but on demand.
    monkeypatch.setattr(runner, "run_cell", run_cell)
    assert [o.state for o in run(tiny, grid(tiny), bench) if not o.ran].count(State.FAILED) == 1
    retried = run(tiny, grid(tiny), ResultsFolder(bench.root, bench.data, retry=True))
    assert {o.state for o in retried} == {State.FINISHED}
    assert not list(bench.root.glob("cells/*/failure.json"))


def test_divergence_is_named(bench: ResultsFolder, tiny: Experiment) -> None:
    wild = tiny.changed({"training.learning_rate": 1e30, "training.epochs": 5})
    (outcome, *_) = run(wild, grid(wild, seeds=[0]), bench)
    assert outcome.state is State.DIVERGED
    assert "diverged at learning rate 1e+30" in outcome.sentence


def test_a_cell_at_which_another_runner_is(bench: ResultsFolder, tiny: Experiment) -> None:
    cells = grid(tiny, seeds=[0])
    runner._begin(tiny, cells, bench)
    with FileLock(bench.folder(cells[0]).with_name(cells[0].folder + ".lock")):
        assert attempt(bench, cells[0]).state is State.BUSY
        assert [o.state for o in states(cells, bench)] == [State.BUSY, State.WAITING]
    assert [o.state for o in states(cells, bench)] == [State.WAITING] * 2


def test_asking_for_the_states_keeps_no_runner_from_a_cell(bench: ResultsFolder, tiny: Experiment) -> None:
    (cell,) = grid(tiny, ["random"], [0])
    runner._begin(tiny, [cell], bench)
    lock = FileLock(bench.folder(cell).with_name(cell.folder + ".lock"), thread_local=False)
    lock.acquire()
    Timer(0.1, lock.release, [True]).start()
    assert attempt(bench, cell).state is State.FINISHED


RUN = """
import sys
from pathlib import Path
from pickwell.experiments.cells import grid
from pickwell.experiments.experiment import load
from pickwell.experiments.run.results_folder import ResultsFolder
from pickwell.experiments.run.runner import run
experiment = load(sys.argv[1])[1]
for outcome in run(experiment, grid(experiment), ResultsFolder(Path(sys.argv[2]), Path(sys.argv[2]))):
    print(outcome.cell, "here" if outcome.ran else "elsewhere", sep="\t")
"""


def start(path: Path, bench: ResultsFolder) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", RUN, str(path), str(bench.root)]
    return subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, stdout=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_two_runners_share_the_cells(tmp_path: Path, tiny: Experiment) -> None:
    path, bench = tmp_path / "shared.toml", ResultsFolder(tmp_path / "out", tmp_path)
    path.write_text(tiny.toml())
    both = [start(path, bench) for _ in range(2)]
    lines = [line.split("\t") for process in both for line in process.communicate(timeout=120)[0].splitlines()]
    here = sorted(cell for cell, where in lines if where == "here")
    assert here == sorted(str(cell) for cell in grid(tiny))  # each of them once
    assert len(list(bench.root.glob("cells/*/result.json"))) == 4


@pytest.mark.slow
def test_processes_give_what_one_process_gives(bench: ResultsFolder, tiny: Experiment, tmp_path: Path) -> None:
    cells = grid(tiny, seeds=[0])
    assert {o.state for o in run(tiny, cells, bench, executor=Processes(2))} == {State.FINISHED}
    other = ResultsFolder(tmp_path / "other", tmp_path)
    run(tiny, cells, other)
    for cell in cells:
        ours, theirs = result(bench, cell), result(other, cell)
        assert [items(ours, n) for n in range(3)] == [items(theirs, n) for n in range(3)]


@pytest.mark.slow
def test_a_killed_run_goes_on_inside_the_cell(tmp_path: Path, tiny: Experiment) -> None:
    longer = tiny.changed(
        {"training.epochs": 120, "training.checkpoint_seconds": 0.0, "methods": {"random": {}}, "seeds": 1}
    )
    path = tmp_path / "longer.toml"
    path.write_text(longer.toml())
    (cell,) = grid(longer)
    bench = ResultsFolder(tmp_path / "killed", tmp_path)
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, path, bench.root], env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    try:
        running = bench.folder(cell) / "fits/running.safetensors"
        until = time.monotonic() + 120
        while not running.exists() and time.monotonic() < until:
            time.sleep(0.01)
        assert running.exists()
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)
    assert not (bench.folder(cell) / "result.json").exists()
    assert [o.state for o in states([cell], bench)] == [State.WAITING]
    run(longer, [cell], bench)
    whole = ResultsFolder(tmp_path / "whole", tmp_path)
    run(longer, [cell], whole)
    ours, theirs = result(bench, cell), result(whole, cell)
    assert (ours["resumes"], theirs["resumes"]) == (1, 0)
    assert [items(ours, n) for n in range(3)] == [items(theirs, n) for n in range(3)]
    assert [r["metrics"] for r in ours["rounds"]] == [r["metrics"] for r in theirs["rounds"]]


def test_absent_classes_are_absent_at_first_and_counted_later(bench: ResultsFolder, tiny: Experiment) -> None:
    drawn = tiny.changed({"start.absent": 3, "seeds": 3, "methods": {"random": {}}})
    found = [result(bench, o.cell) for o in run(drawn, grid(drawn), bench)]
    assert len({tuple(r["absent"]) for r in found}) > 1  # each seed has its own
    for one in found:
        assert len(one["absent"]) == 3
        assert not set(one["absent"]) & one["rounds"][0]["class_counts"].keys()
        row = one["rounds"][1]
        assert row["shares"]["absent"] == sum(row["class_counts"].get(name, 0) for name in one["absent"]) / 10
    named = tiny.changed({"start.absent": ["7", "x"]})
    with pytest.raises(SettingsError, match=r"start\.absent names x; the classes are 0, 1"):
        run(named, grid(named)[:1], ResultsFolder(bench.root.with_name("other"), bench.data))


def test_a_noisy_oracle_errs_alike_for_every_method(bench: ResultsFolder, tiny: Experiment) -> None:
    from pickwell.store import Store

    noisy = tiny.changed({"oracle.noise": 0.5, "rounds.count": 1})
    told = []
    for outcome in run(noisy, grid(noisy, seeds=[0]), bench):
        with Store.open(f"sqlite:///{bench.folder(outcome.cell) / 'pickwell.sqlite'}") as store:
            labels = store.labels()
        told.append(dict(zip(labels.items.tolist(), labels.values, strict=True)))
    first = items(result(bench, grid(noisy)[0]), 0)
    assert [told[0][item] for item in first] == [told[1][item] for item in first]
    prepared = prepare(noisy, bench.data, bench.root)
    from pickwell.data.pool import Pool

    known = Pool.open(prepared.pool).manifest.known()
    wrong = np.mean([known[item] != value for item, value in told[0].items()])
    assert 0.2 < wrong < 0.8


def test_the_report_shows_the_first_picks_of_each_round_or_no_picture(bench: ResultsFolder, tiny: Experiment) -> None:
    lacking = tiny.changed({"start.absent": ["7"], "seeds": 1, "methods": {"random": {}}})
    (outcome,) = run(lacking, grid(lacking), bench)
    raw, (found, _) = result(bench, outcome.cell), cell_results.results(bench.root, [outcome.cell])
    shown_first = experiment_pictures.pictures(lacking, found, bench)
    assert "Outlined: the absent classes." in shown_first.notes[0]
    everyone = [{**each, "absent": []} for each in found]
    assert "Outlined" not in experiment_pictures.pictures(lacking, everyone, bench).notes[0]
    (album,) = shown_first.albums
    assert (album.title, [g.title for g in album.galleries]) == ("random", ["Round 1", "Round 2"])
    for shown in album.galleries:
        assert [pick.item for pick in shown.picks] == items(raw, int(shown.title[-1]))[: experiment_pictures.ROW]
        assert all(pick.png.startswith(b"RIFF") and pick.marked == (pick.label == "7") for pick in shown.picks)
    text = report(lacking, grid(lacking), bench).path.read_text(encoding="utf-8")
    assert text.count('src="data:image/webp') == 2 * experiment_pictures.ROW
    assert "data:image/webp" not in report(lacking, grid(lacking), bench, pictures=False).path.read_text(
        encoding="utf-8"
    )
    shutil.rmtree(bench.root / "pools")  # as where results were passed on
    assert experiment_pictures.pictures(lacking, found, bench).albums == ()


def test_a_stratified_start_has_every_class(bench: ResultsFolder, tiny: Experiment) -> None:
    fair = tiny.changed({"start.draw": "stratified", "start.labels": 20, "rounds.count": 0, "methods": {"random": {}}})
    counts = result(bench, run(fair, grid(fair)[:1], bench)[0].cell)["rounds"][0]["class_counts"]
    assert len(counts) == 10
    assert max(counts.values()) <= 3


def test_the_reference_has_all_labels(bench: ResultsFolder, tiny: Experiment) -> None:
    with_reference = tiny.changed({"reference": True, "start.absent": 2})
    found = result(bench, run(with_reference, grid(with_reference, [FULL], [0]), bench)[0].cell)
    assert [row["labels"] for row in found["rounds"]] == [120]
    assert found["rounds"][0]["metrics"]["measured"] == 60


def test_what_cannot_work_is_said_before_anything_is_computed(bench: ResultsFolder, tiny: Experiment) -> None:
    wrong = tiny.changed({"methods.random": {"stesp": 1}})
    with pytest.raises(SettingsError, match="unknown setting of strategy random 'stesp'"):
        run(wrong, grid(wrong), bench)
    foo = tiny.changed({"variants": {"as it is": {}, "another": {"model.name": "foo"}}})
    with pytest.raises(SettingsError, match="unknown model 'foo'"):
        run(foo, grid(foo), bench)
    assert not bench.root.exists()
    for change, said in (
        ({"rounds.count": 20}, "the pool has 120 images, the rounds need 230; ask for fewer"),
        ({"start.absent": ["7", "x"]}, "start.absent names x; the classes are 0, 1"),
        ({"start.absent": 9}, "start.absent is 9 of 10 classes; at least 2 must have first labels"),
    ):
        later = tiny.changed({"variants": {"as it is": {}, "another": change}})
        with pytest.raises(SettingsError, match=said):
            run(later, grid(later), bench)
        assert [path.name for path in bench.root.iterdir()] == ["pools"]  # no cell, and no experiment taken down


def test_a_method_that_works_in_some_variants_fails_in_the_others_alone(bench: ResultsFolder, tiny: Experiment) -> None:
    without = {"small": {}, "ResNet-18": {"model.name": "resnet18", "model.width": 0.125}}
    crossed = tiny.changed({"methods": {"random": {}, "mc-dropout": {}}, "variants": without, "rounds.count": 1})
    found = {(o.cell.method, o.cell.variant): o for o in run(crossed, grid(crossed, seeds=[0]), bench)}
    assert [key for key, outcome in found.items() if outcome.state is State.FAILED] == [("mc-dropout", "ResNet-18")]
    assert "resnet18 has no dropout layer" in found["mc-dropout", "ResNet-18"].sentence


def test_a_set_that_is_not_there_leaves_no_folder_behind(bench: ResultsFolder, tiny: Experiment) -> None:
    absent = tiny.changed({"data.set": "cifar10"})
    with pytest.raises(PoolError, match="CIFAR-10 is not in"):
        run(absent, grid(absent), bench)
    assert not bench.root.exists()
    bench.root.mkdir()
    with pytest.raises(PoolError, match="CIFAR-10 is not in"):
        run(absent, grid(absent), bench)
    assert list(bench.root.iterdir()) == []  # one's own folder stays


def test_weights_that_do_not_fit_are_refused_once(tmp_path: Path, bench: ResultsFolder, tiny: Experiment) -> None:
    (tmp_path / "w.safetensors").write_bytes(b"no weights")
    unfit = tiny.changed({"model.weights": str(tmp_path / "w.safetensors")})
    with pytest.raises(WeightsError):
        run(unfit, grid(unfit), bench)
    assert not (bench.root / "experiment.toml").exists()


def test_a_report_leaves_nothing_of_an_earlier_one_beside_it(
    bench: ResultsFolder, tiny: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    wide = tiny.changed({"methods.entropy": {}, "seeds": 1})
    run(wide, grid(wide), bench)
    report(wide, grid(wide), bench, pictures=False)
    whole = {path: path.read_bytes() for kind in ("figures/*", "tables/*") for path in bench.root.glob(kind)}
    assert {bench.root / "figures/wins.svg", bench.root / "figures/picks-entropy.png"} <= whole.keys()
    (bench.root / "figures/mine.svg").touch()
    fewer = grid(wide, ["random", "margin"])
    with monkeypatch.context() as broken:
        broken.setattr(page, "render", lambda page: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            report(wide, fewer, bench, pictures=False)
    assert whole.keys() <= {*bench.root.glob("figures/*"), *bench.root.glob("tables/*")}
    with (bench.root / ".report.files").open("a") as listed:
        listed.write("\n../precious.csv\nexperiment.toml")
    (bench.root.parent / "precious.csv").touch()
    report(wide, fewer, bench, pictures=False)
    assert not list(bench.root.glob("figures/wins.*"))
    assert not list(bench.root.glob("figures/*entropy*"))
    kept = ("tables/aubc.csv", "figures/mine.svg", "../precious.csv", "experiment.toml")
    assert all((bench.root / name).exists() for name in kept)


def test_a_report_waits_for_another_that_is_being_written(bench: ResultsFolder, tiny: Experiment) -> None:
    cells = grid(tiny, seeds=[0])
    run(tiny, cells, bench)
    writer = Thread(target=report, args=(tiny, cells, bench), kwargs={"pictures": False})
    with FileLock(bench.root / "report.lock"):
        writer.start()
        writer.join(1)
        assert writer.is_alive()
        assert not (bench.root / "data").exists()
    writer.join()
    assert (bench.root / "report.html").exists()


def test_a_report_of_nothing_leaves_nothing(bench: ResultsFolder, tiny: Experiment) -> None:
    with pytest.raises(StoreError, match="has no finished cell of this experiment; run it first: pickwell bench run"):
        report(tiny, grid(tiny), bench)
    assert not bench.root.exists()


def test_a_folder_of_something_else_or_of_a_newer_version(
    tmp_path: Path, bench: ResultsFolder, tiny: Experiment
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.tex").touch()
    with pytest.raises(SettingsError, match="is not empty and holds no benchmark's results; choose another folder"):
        run(tiny, grid(tiny), ResultsFolder(tmp_path / "mine", tmp_path))
    (outcome, *_) = run(tiny, grid(tiny, ["random"], [0]), bench)
    path = bench.folder(outcome.cell) / "result.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 9}))
    with pytest.raises(VersionError, match=r"result\.json has format 9, this pickwell reads up to 1"):
        cell_results.results(bench.root, grid(tiny))
    (bench.root / "experiment.toml").write_text("format = 9\ntitle = 'new'")
    with pytest.raises(VersionError, match="has format 9"):
        run(tiny, grid(tiny), bench)


def test_cells_of_other_code_are_left_out_or_read_on_demand(bench: ResultsFolder, tiny: Experiment) -> None:
    cells = grid(tiny, seeds=[0, 1, 2])[::2]
    run(tiny, cells, bench)
    old = bench.folder(cells[2])
    other = old.with_name(f"{cells[2].stem}.0123456789ab")
    old.rename(other)
    path = other / "result.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "code": "0123456789ab"}))
    assert [o.state for o in states(cells, bench)] == [State.FINISHED, State.FINISHED, State.WAITING]
    found, said = cell_results.results(bench.root, cells)
    assert [r["seed"] for r in found] == [0, 1]
    assert said == ["1 of 3 finished cells were made by another version of the code and are left out; --any-code reads "
                    "them too."]  # fmt: skip
    anyway = ResultsFolder(bench.root, bench.data, any_code=True)
    assert [o.state for o in states(cells, anyway)] == [State.FINISHED] * 3
    found, said = cell_results.results(bench.root, cells, any_code=True)
    assert len(found) == 3
    assert "made by several versions of the code" in said[0]


def copied(bench: ResultsFolder, cell: Cell, **changes: object) -> None:
    """The cell's result once more, as other code or other data would have made it."""
    path = bench.folder(cell) / "result.json"
    other = json.loads(path.read_text()) | changes
    if "code" in changes:
        path = path.parent.with_name(f"{cell.stem}.{changes['code']}") / path.name
        path.parent.mkdir()
    path.write_text(json.dumps(other))


def test_what_earlier_code_called_sittings_is_read(bench: ResultsFolder, tiny: Experiment) -> None:
    (cell,) = grid(tiny, ["random"], [0])
    run(tiny, [cell], bench)
    path = bench.folder(cell) / "result.json"
    old = json.loads(path.read_text())
    del old["resumes"]
    path.write_text(json.dumps(old | {"sittings": 3}))
    (found,) = cell_results.results(bench.root, [cell])[0]
    assert (found["resumes"], "sittings" in found) == (2, False)
    assert results_tables.runs_made([found])["resumes"].to_pylist() == [2]


def test_of_two_whole_grids_the_present_codes_is_read(bench: ResultsFolder, tiny: Experiment) -> None:
    cells = grid(tiny, ["random"])
    run(tiny, cells, bench)
    for other in ("0" * 12, "f" * 12):
        for cell in cells:
            copied(bench, cell, code=other)
    for any_code in (False, True):
        found, said = cell_results.results(bench.root, cells, any_code=any_code)
        assert [r["code"] for r in found] == [cell.folder.rpartition(".")[2] for cell in cells]
        assert said == []


def test_variants_of_the_network_are_of_one_code_each(bench: ResultsFolder, tiny: Experiment) -> None:
    varied = tiny.changed({"variants": {"small": {}, "residual": {"model.name": "resnet18", "model.width": 0.1}}})
    cells = grid(varied, ["random"], [0])
    run(varied, cells, bench)
    found, said = cell_results.results(bench.root, cells)
    assert [result["variant"] for result in found] == ["small", "residual"]
    assert len({result["code"][:SHARED] for result in found}) == 2
    assert said == []


def test_a_report_of_an_older_versions_grid_says_so(bench: ResultsFolder, tiny: Experiment) -> None:
    cells = grid(tiny)
    run(tiny, cells, bench)
    for cell in cells:
        copied(bench, cell, code="0" * 12)
    for cell in cells[:3]:
        shutil.rmtree(bench.folder(cell))
    found, said = cell_results.results(bench.root, cells)
    assert {r["code"] for r in found} == {"0" * 12}
    assert said[0] == (
        "4 of the 4 cells shown are of another version of the code than the one at hand, which has made 1 of them "
        "anew; those are shown once it has made as many."
    )
    shutil.rmtree(bench.folder(cells[3]))
    assert cell_results.results(bench.root, cells)[1][0].endswith("than the one at hand.")
    assert cell_results.results(bench.root, cells, any_code=True)[1] == []


def test_cells_of_other_data_are_not_compared(bench: ResultsFolder, tiny: Experiment) -> None:
    cells = grid(tiny, ["random"], [0, 1, 2])
    run(tiny, cells, bench)
    copied(bench, cells[1], data="another")
    found, said = cell_results.results(bench.root, cells)
    assert [r["seed"] for r in found] == [0, 2]
    assert "1 of 3 finished cells saw other images or labels and are left out" in said[0]
    empty = [{**row, "metrics": {}} for row in result(bench, cells[0])["rounds"]]
    for cell in cells:
        copied(bench, cell, rounds=empty)
    with pytest.raises(StoreError, match="no accuracy could be measured"):
        report(tiny, cells, bench)
    copied(bench, cells[0], rounds=[{**row, "metrics": {"accuracy": 0.5}} for row in empty])
    assert (
        "In 1 of 2 finished cells no accuracy could be measured; they are left out."
        in report(tiny, cells, bench, pictures=False).notes
    )


def test_what_a_person_can_mend_is_said(
    bench: ResultsFolder, tiny: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = OSError(errno.ENOSPC, "No space left on device", "weights")
    for error, said in ((full, "weights: No space left on device; free some"), (MemoryError(), "memory does not suf")):
        monkeypatch.setattr(runner, "run_cell", lambda *_, error=error: (_ for _ in ()).throw(error))
        (outcome,) = run(tiny, grid(tiny, ["random"], [0]), ResultsFolder(bench.root, bench.data, retry=True))
        assert outcome.state is State.FAILED
        assert said in outcome.sentence
    assert not list(bench.root.rglob("*.partial"))


def test_nothing_works_on_for_a_listener_that_is_gone(bench: ResultsFolder, tiny: Experiment) -> None:
    closed: list[bool] = []

    class Watched(Serial):
        def map(self, work: Any, tasks: Any) -> Generator[Any, None, None]:
            try:
                yield from super().map(lambda cell: Outcome(cell, State.BUSY), tasks)
            finally:
                closed.append(True)

    def gone(*_: object) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError) as kept:  # which holds the frames, and all that is in them
        run(tiny, grid(tiny), bench, executor=Watched(), told=gone)
    assert (closed, kept.type) == ([True], BrokenPipeError)


def test_the_time_left_knows_which_methods_are_slow(tiny: Experiment) -> None:
    cells = grid(tiny, seeds=[0, 1, 2])
    clock = runner.Clock(cells, jobs=2)
    assert clock.left() is None
    clock.add(Outcome(cells[0], State.FINISHED, 10, ran=True))
    assert clock.left() == pytest.approx(5 * 10 / 2)
    clock.add(Outcome(cells[1], State.FINISHED, 50, ran=True))
    assert clock.left() == pytest.approx((2 * 10 + 2 * 50) / 2)
    clock.add(Outcome(cells[2], State.FINISHED, 0))
    assert clock.left() == pytest.approx((10 + 2 * 50) / 2)
