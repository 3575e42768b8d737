import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pickwell.cli.commands import app
from pickwell.experiments import experiment
from pickwell.experiments.cells import grid
from pickwell.loop.campaign import Campaign

SMALL: dict[str, Any] = {
    "seeds": 1,
    "rounds.count": 1,
    "training.epochs": 2,
    "model.width": 0.25,
    "methods": {"random": {}, "vaal": {}},
}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo with fewer rounds, seeds and epochs."""
    name, whole = experiment.load("digits-demo")
    monkeypatch.setattr(experiment, "load", lambda _: (name, whole.changed(SMALL)))


def demo(*arguments: object) -> str:
    return CliRunner().invoke(app, ["demo", *map(str, arguments)], catch_exceptions=False).stdout


def test_the_demo_is_vaal_beside_random_with_three_classes_absent() -> None:
    whole = experiment.load("digits-demo")[1]
    assert [(cell.method, cell.seed, cell.rounds) for cell in grid(whole)] == [
        (method, seed, 5) for seed in range(3) for method in ("random", "vaal", "vaal-diverse")
    ]
    assert (whole.start.labels, whole.start.absent, whole.data.test) == (40, ("7", "8", "9"), 450)
    chosen = whole.training
    assert (whole.model.name, chosen.epochs, chosen.augment, chosen.learning_rate) == ("small_cnn", 60, "none", 1e-3)


@pytest.mark.usefixtures("small")
def test_a_small_demo_is_the_whole_one(tmp_path: Path) -> None:
    shown = demo("--out", tmp_path / "out", "--seed", 5)
    assert "vaal seed 5 · round 1 · 60 labels" in shown
    assert f"open {tmp_path / 'out' / 'report.html'}" in re.sub(r"\n(?=/)", " ", shown)
    # Begun once more it has nothing left to do; to programs it says the same.
    found = json.loads(demo("--out", tmp_path / "out", "--seed", 5, "--json"))
    assert [(run["strategy"], run["seed"], run["labels"]) for run in found["runs"]] == [
        ("random", 5, [40, 60]),
        ("vaal", 5, [40, 60]),
    ]
    random, vaal = found["runs"]
    assert random["accuracy"][0] == vaal["accuracy"][0], "strategies under one seed must share their first labels"
    assert vaal["absent_share"][0] > 0.6
    assert random["absent_share"][0] < 0.6
    assert vaal["monitors"][0]["active_units"] > 4
    assert {"report", "seconds", "peak_mib"} <= found.keys()
    page = Path(found["report"]).read_text()
    assert page.count("data:image/webp;base64") == 2 * 8
    assert not re.search(r"""(?:src|href)=["']?https?:""", page)
    (cell,) = (tmp_path / "out" / "cells").glob("random.*/campaign.toml")
    with Campaign(cell.parent) as campaign:
        labels, first = campaign.store.labels(), campaign.store.rounds()[0]
        told = dict(zip(labels.items.tolist(), labels.values, strict=True))
        assert len(first.picks) == 40
        assert not {told[pick.item] for pick in first.picks} & {"7", "8", "9"}
        assert not labels.held_out.any()
        assert campaign.test is not None
        assert len(campaign.test) == 450
