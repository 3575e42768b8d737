"""Work on a Ray cluster of two nodes: all of it once, whatever is lost. `make test-cluster`."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pickwell import executors
from pickwell.errors import PickwellError, TrainingError

ray = pytest.importorskip("ray")
pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    made.add_node(num_cpus=1)
    made.wait_for_nodes()
    yield made
    ray.shutdown()
    made.shutdown()


@pytest.fixture(autouse=True)
def address(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", cluster.address)


def square(number: int) -> int:
    return number * number


def slow(number: int) -> tuple[int, str]:
    time.sleep(0.5)
    return number, ray.get_runtime_context().get_node_id()


def diverge(number: int) -> int:
    raise TrainingError(f"the loss of {number} is nan")


def test_every_task_is_done_once() -> None:
    assert sorted(executors.create("ray", 1).map(square, range(20))) == [n * n for n in range(20)]


def test_both_nodes_work() -> None:
    done = list(executors.create("ray", 1).map(slow, range(6)))
    assert sorted(number for number, _ in done) == list(range(6))
    assert len({node for _, node in done}) == 2


def test_what_a_task_raises_is_raised_here() -> None:
    with pytest.raises(TrainingError, match="the loss of 3 is nan"):
        list(executors.create("ray", 1).map(diverge, [3]))


def test_closed_early_nothing_is_left_at_work() -> None:
    running = executors.create("ray", 1).map(slow, range(50))
    next(running)
    began = time.monotonic()
    running.close()
    assert time.monotonic() - began < 20
    assert not ray.is_initialized()


def test_a_node_lost_in_the_middle_loses_no_task(cluster: Any) -> None:
    extra = cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    found = []
    for done in executors.create("ray", 1).map(slow, range(12)):
        found.append(done[0])
        if len(found) == 3:
            cluster.remove_node(extra, allow_graceful=False)
    assert sorted(found) == list(range(12))


def test_no_cluster_at_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with pytest.raises(PickwellError, match=r"no Ray cluster answers at 127.0.0.1:1 .*ray start --head"):
        list(executors.create("ray", 1).map(square, [1]))


def test_a_node_with_another_pickwell_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pickwell.executors.ray.version", lambda name: "9.9")
    with pytest.raises(PickwellError, match=r"this is pickwell 9.9, and .* has 0\.\d"):
        list(executors.create("ray", 1).map(square, [1]))


def test_cells_of_an_experiment_run_on_the_cluster(tmp_path: Path) -> None:
    from pickwell.cli.live_run import run_live
    from pickwell.experiments import experiment as experiments
    from pickwell.experiments.cells import grid
    from pickwell.experiments.run.results_folder import ResultsFolder

    _, found = experiments.load("digits")
    changed = found.changed({"seeds": 2, "rounds.count": 1, "training.epochs": 1})
    cells = grid(changed, ["random", "margin"])
    results = ResultsFolder.at(tmp_path / "ray", None)
    outcomes = run_live(changed, cells, results, executor_name="ray", silent=True)
    assert [str(outcome.state) for outcome in outcomes] == ["finished"] * 4
    alone = ResultsFolder.at(tmp_path / "alone", None)
    run_live(changed, cells, alone, silent=True)
    for cell in cells:
        here, there = ((root.folder(cell) / "result.json").read_text() for root in (results, alone))
        assert picks(here) == picks(there)


def picks(text: str) -> Any:
    import json

    return [row["picks"] for row in json.loads(text)["rounds"]]
