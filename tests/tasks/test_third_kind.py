"""A kind of task that another package brings: one folder, from init to the report."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from pickwell import registry, tasks
from pickwell.cli import main
from pickwell.errors import LabelError, SettingsError
from pickwell.loop.campaign import Campaign
from pickwell.loop.creation import create
from pickwell.report.campaign_page import report_of
from pickwell.report.combined_report import together


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The package `number_kind`, as if pip had installed it."""
    told = tmp_path / "site" / "number_kind-1.0.dist-info"
    told.mkdir(parents=True)
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: number-kind\nVersion: 1.0\n")
    (told / "entry_points.txt").write_text("[pickwell.tasks]\nnumber = number_kind.number:Number\n")
    for place in (told.parent, Path(__file__).parent):
        monkeypatch.syspath_prepend(str(place))
    registry._offered.cache_clear()
    yield
    registry._offered.cache_clear()
    for name in [name for name in sys.modules if name.partition(".")[0] == "number_kind"]:
        del sys.modules[name]


@pytest.fixture
def numbers(tmp_path: Path) -> Path:
    """Digits, each with half of what it counts."""
    digits = load_digits()
    lines = ["path,label"]
    for row in range(60):
        Image.fromarray(np.rint(digits.images[row] * 255 / 16).astype(np.uint8)).save(tmp_path / f"{row:02d}.png")
        lines.append(f"{row:02d}.png,{digits.target[row] / 2}")
    (tmp_path / "numbers.csv").write_text("\n".join(lines))
    return tmp_path / "numbers.csv"


def pickwell(*words: object, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["pickwell", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            main()
    said = capsys.readouterr()
    assert not end.value.code, said.err
    return said.out


def test_it_is_found_beside_our_own() -> None:
    assert tasks.available() == ["classification", "number", "segmentation"]
    assert tasks.named("number").figure == "mean absolute error"


def test_it_goes_from_init_to_the_report(numbers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "campaign"
    quick = ["--set", "training.epochs=4", "--set", "model.width=0.25", "--set", "training.precision=fp32"]
    pickwell("init", root, "--images", numbers, "--task", "number", "--strategy", "core-set", *quick, capsys=capsys)
    asked = json.loads(pickwell("ask", root, "--budget", 20, "--json", capsys=capsys))["picks"]
    rows = [f"{pick['item']},{pick['item'] % 10}" for pick in asked]
    (tmp_path / "told.csv").write_text("\n".join(["item,label", *rows]))
    pickwell("tell", root, tmp_path / "told.csv", capsys=capsys)
    with Campaign(root) as campaign:
        assert campaign.store.labels().values == [str(item % 10) for item in sorted(p["item"] for p in asked)]
        with pytest.raises(LabelError, match=r"item 3: 'three' is no number; write one as 3\.5"):
            campaign.tell({3: "three"}, imported=True)
        metrics = campaign.fit()
        assert 0 < metrics.values["mean_absolute_error"] < 10
        assert (metrics.labels, metrics.measured) == (20, 2)
    said = pickwell("run", root, "--rounds", 2, "--budget", 15, capsys=capsys)
    assert said.startswith("mean absolute error ")
    assert "on 5 images never trained on, after 50 labels" in said
    assert "mean absolute error" in pickwell("status", root, capsys=capsys)
    pickwell("report", root, capsys=capsys)
    assert "mean absolute error" in (root / "report.html").read_text()
    with pytest.raises(SettingsError, match="campaigns that measure mean absolute error are not compared"):
        together({root: report_of(root), tmp_path: report_of(root)})
    run = report_of(root).runs[0]
    assert [row.labels for row in run.rounds if row.accuracy is not None] == [20, 35, 50]
    exports_and_imports(root, tmp_path, capsys=capsys)


def exports_and_imports(root: Path, tmp_path: Path, *, capsys: pytest.CaptureFixture[str]) -> None:
    """Its labels go out, and are checked by it when they come in; formats of classes are none of it."""
    pickwell("export", root, "--format", "csv", "--out", tmp_path / "numbers-out.csv", capsys=capsys)
    said = pickwell("import", root, tmp_path / "numbers-out.csv", "--format", "csv", capsys=capsys)
    assert "50 were known already" in said
    (tmp_path / "more.csv").write_text("name,label\n58.png,-3.5\n")
    said = pickwell("import", root, tmp_path / "more.csv", "--format", "csv", capsys=capsys)
    assert said.startswith("kept 1 labels")
    with Campaign(root) as campaign:
        assert {one.item: one.value for one in campaign.store.standing()}[58] == "-3.5"
    (tmp_path / "more.csv").write_text("name,label\n59.png,three\n")
    for name, file, sentence in (
        ("csv", "more.csv", "labels that do not fit: 1 (59.png: 'three' is no number; write one as 3.5)"),
        ("folders", "", "labels of number cannot be imported as folders; available: csv"),
    ):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", ["pickwell", "import", str(root), str(tmp_path / file), "--format", name])
            with pytest.raises(SystemExit) as end:
                main()
        assert end.value.code == 2
        assert sentence in capsys.readouterr().err
    with Campaign(root) as campaign:
        campaign.ask(3)
    for name in ("csv", "text", "links"):
        pickwell("export", root, "--format", name, "--to-label", "--out", tmp_path / f"to-{name}", capsys=capsys)
    assert len((tmp_path / "to-text").read_text().splitlines()) == 3


def test_what_has_no_known_number_cannot_be_answered(numbers: Path, tmp_path: Path) -> None:
    numbers.write_text("path\n00.png\n01.png")
    create(tmp_path / "c", numbers, settings={"task.kind": "number", "strategy.name": "random"})
    with (
        Campaign(tmp_path / "c") as campaign,
        pytest.raises(LabelError, match=r"\(01\.png\) has no known label"),
    ):
        campaign.oracle("simulated").answer([campaign.pool.item(1)])


def test_an_encoder_gives_it_a_head_that_learns_numbers(numbers: Path, tmp_path: Path) -> None:
    """Logistic regression learns classes: of numbers it would make as many classes, without a word."""
    encoded = {"task.kind": "number", "encoder": "lite0", "strategy.name": "core-set", "training.epochs": 4}
    with pytest.raises(SettingsError, match=r"model.name is 'logistic'.* set it to linear or mlp"):
        create(tmp_path / "c", numbers, settings=encoded | {"model.name": "logistic"})
    create(tmp_path / "d", numbers, settings=encoded)
    with Campaign(tmp_path / "d") as campaign:
        assert campaign.settings.model.name == "mlp"
        campaign.tell({item: str(item % 10) for item in range(30)}, imported=True)
        assert 0 < campaign.fit().values["mean_absolute_error"] < 10
        assert len(campaign.ask(5).picks) == 5
