import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from pickwell.cli import demo as demo_command
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
    """The demo with fewer rounds, seeds and epochs, one cell at a time."""
    load = experiment.load
    few = {"digits-demo": SMALL, "photographs-demo": {"seeds": 1, "rounds.count": 1}}
    monkeypatch.setattr(experiment, "load", lambda name: (name, load(name)[1].changed(few[name])))
    monkeypatch.delenv("PICKWELL_DATA", raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: 1)  # in this process: starting others takes longer than the runs


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


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """36 pictures of three kinds, a folder a kind."""
    rng, root = np.random.default_rng(0), tmp_path_factory.mktemp("photographs")
    for kind, colour in (("sea", (20, 60, 200)), ("sand", (220, 190, 120)), ("wood", (30, 110, 40))):
        (root / kind).mkdir()
        for number in range(12):
            noise = rng.integers(-15, 15, (40, 52, 3)) + np.asarray(colour)
            Image.fromarray(np.clip(noise, 0, 255).astype(np.uint8)).save(root / kind / f"{number}.png")
    return root


@pytest.mark.usefixtures("small")
def test_a_small_demo_is_the_whole_one(photographs: Path, tmp_path: Path) -> None:
    shown = demo(photographs, "--out", tmp_path / "out", "--seed", 5)
    assert "vaal seed 5 · round 1 · 60 labels" in shown
    assert f"open {tmp_path / 'out' / 'report.html'}" in re.sub(r"\n(?=/)", " ", shown)
    # Begun once more it has nothing left to do; to programs it says the same.
    found = json.loads(demo(photographs, "--out", tmp_path / "out", "--seed", 5, "--json"))
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
    beside = found["photographs"]
    assert [(run["strategy"], run["seed"], run["labels"]) for run in beside["runs"]] == [
        ("random", 5, [6, 12]),
        ("uherding", 5, [6, 12]),
    ]
    assert beside["report"] == str(tmp_path / "out-photographs" / "report.html")
    page = Path(beside["report"]).read_text()
    assert page.count("data:image/webp;base64") == 2 * 6
    assert "solved anew after every round (C 30, balanced class weights)" in page


def test_clothes_are_shown_where_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PICKWELL_DATA", str(tmp_path))
    assert demo_command._photographs(None) is None
    (tmp_path / "clothing" / "train").mkdir(parents=True)
    shown = demo_command._photographs(None)
    assert shown is not None
    assert shown.data.set == "clothing"
