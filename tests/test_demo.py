import json
import re
from pathlib import Path

import pytest

from pickwell import demo
from pickwell.report.galleries import Gallery
from pickwell.statistics.runs import Run


def test_a_small_demo_is_the_whole_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "ROUNDS", 1)
    monkeypatch.setattr(demo, "SEEDS", 1)
    monkeypatch.setattr(demo, "STRATEGIES", ("random", "vaal"))
    monkeypatch.setattr(demo, "SETTINGS", {**demo.SETTINGS, "training.epochs": 2, "model.width": 0.25})
    measured = demo.demo(tmp_path / "out", seed=5)
    shown = capsys.readouterr().out
    assert "vaal seed 5 · round 1 · 60 labels" in shown
    found = json.loads(json.dumps(measured.as_json()))
    assert [(run["strategy"], run["seed"], run["labels"]) for run in found["runs"]] == [
        ("random", 5, [40, 60]),
        ("vaal", 5, [40, 60]),
    ]
    random, vaal = found["runs"]
    assert random["accuracy"][0] == vaal["accuracy"][0], "strategies under one seed must share their first labels"
    assert vaal["absent_share"][0] > 0.6
    assert random["absent_share"][0] < 0.6
    assert vaal["monitors"][0]["active_units"] > 4
    page = measured.report.read_text()
    assert "vaal: the first query" in page
    assert page.count("data:image/png;base64") == 40
    assert not re.search(r"""(?:src|href)=["']?https?:""", page)


def test_the_absent_classes_are_absent_and_a_second_run_is_fresh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pickwell.loop.campaign import Campaign

    monkeypatch.setattr(demo, "ROUNDS", 0)
    monkeypatch.setattr(demo, "SEEDS", 1)
    monkeypatch.setattr(demo, "STRATEGIES", ("random",))
    monkeypatch.setattr(demo, "SETTINGS", {**demo.SETTINGS, "training.epochs": 1, "model.width": 0.25})
    monkeypatch.setattr(demo, "_gallery", lambda *_: Gallery("", ()))
    monkeypatch.setattr(demo, "_run", lambda campaign, seed, table: (Run("random", seed, ()), [None]))
    for _ in range(2):
        demo.demo(tmp_path, silent=True)
        with Campaign(tmp_path / "campaigns" / "random-0") as campaign:
            labels = campaign.store.labels()
            assert len(labels) == demo.INITIAL
            assert not set(labels.values) & set(demo.ABSENT)
            assert not labels.held_out.any()
            assert campaign.test is not None
            assert len(campaign.test) == demo.TEST
