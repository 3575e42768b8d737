"""Whoever opens a campaign opens it the same way, checked, and without torch."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pickwell.campaign.open_campaign import OpenCampaign
from pickwell.campaign.status import status_of
from pickwell.cli import main
from pickwell.errors import PoolError, RoundError, SettingsError
from pickwell.loop.campaign import Campaign
from pickwell.report.campaign_page import report_of
from pickwell.store import Store
from pickwell.web.desk import Desk
from pickwell.web.server import Server

Make = Callable[..., Path]
SWAPPED = (
    "the class list of campaign.toml is sky, road, tree, but the campaign's masks were made with road, sky, tree, "
    "and hold numbers that mean places in it; put it back, or make another campaign"
)


def swap(root: Path) -> None:
    """Lets "road" and "sky" change places in the class list."""
    path = root / "campaign.toml"
    text = path.read_text()
    assert text.index('"road"') < text.index('"sky"')
    path.write_text(text.replace('"road"', '"x"').replace('"sky"', '"road"').replace('"x"', '"sky"'))


def files(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("opener", [OpenCampaign, Campaign, Desk, Server, report_of])
def test_a_changed_class_list_of_masks_is_refused_by_everybody(make: Make, opener: Callable[[Path], Any]) -> None:
    root = make("segmentation")
    swap(root)
    before = files(root)
    with pytest.raises(SettingsError, match=f"^{re.escape(SWAPPED)}$"):
        opener(root)
    assert files(root) == before


@pytest.mark.parametrize(
    "command",
    ["status DIR", "tell DIR LABELS", "undo DIR", "close DIR", "import DIR LABELS --format csv", "serve DIR --port 0",
     "export DIR --format masks --out OUT", "report DIR", "ask DIR --budget 1", "fit DIR"],
)  # fmt: skip
def test_and_by_every_command(
    make: Make, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = make("segmentation")
    swap(root)
    (tmp_path / "labels.csv").write_text("item,label\n0,!skip\n")
    places = {"DIR": str(root), "LABELS": str(tmp_path / "labels.csv"), "OUT": str(tmp_path / "out")}
    monkeypatch.setattr("sys.argv", ["pickwell", *(places.get(word, word) for word in command.split())])
    with pytest.raises(SystemExit) as end:
        main()
    assert (end.value.code, capsys.readouterr().err) == (2, f"pickwell: {SWAPPED}\n")
    assert not (root / "report.html").exists()


def test_class_names_may_come_and_go(make: Make) -> None:
    root = make()
    swap(root)
    with OpenCampaign(root) as campaign:
        assert campaign.task.classes == ("sky", "road", "tree")
        assert campaign.tell({0: "road"}).answered == 1


def test_a_refused_opening_lets_go_of_the_database(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    root, closed = make("segmentation"), list[Store]()
    swap(root)
    # Through a function, which becomes a method of the class.
    monkeypatch.setattr(Store, "close", lambda store: closed.append(store))
    with pytest.raises(SettingsError):
        OpenCampaign(root)
    assert len(closed) == 1


def test_what_can_be_asked_is_neither_told_nor_in_the_open_round(make: Make) -> None:
    with OpenCampaign(make()) as campaign:
        assert campaign.unlabelled().tolist() == [4, 5]
        campaign.tell({4: "road"}, imported=True)
        assert campaign.unlabelled().tolist() == [5]
        assert campaign.close_round().number == 1
        assert campaign.unlabelled().tolist() == [0, 1, 2, 3, 5]
        assert [label.item for label in campaign.undo()] == [4]
        assert campaign.all_but(np.array([0, 3])).tolist() == [1, 2, 4, 5]
        with pytest.raises(PoolError, match="holds 6 images, but item 6 was asked for: its manifest is older"):
            campaign.all_but(np.array([0, 6]))
        with pytest.raises(RoundError, match="no round is open"):
            campaign.close_round()


def test_status_says_where_it_stands(make: Make) -> None:
    with OpenCampaign(make()) as campaign:
        campaign.tell({0: "road", 1: "sky", 2: "road"})
        now = status_of(campaign)
        assert (now.labelled, now.waiting, now.open_round, now.rounds) == (3, 1, 1, 0)
        assert now.classes == {"road": 2, "sky": 1, "tree": 0}
        assert (now.metric, now.score, now.interval) == ("accuracy", None, None)
        assert now.advice.startswith("label in the browser: pickwell serve")
        # As `fit` does it.
        campaign.store.record(0, {"accuracy": 0.5, "measured": 4}, labels=3, known=campaign.store.changed())
        assert status_of(campaign).score == 0.5
        campaign.tell({0: "sky"})
        assert status_of(campaign).score is None


def test_remarks_of_older_campaigns_are_taken_into_the_store(make: Make) -> None:
    root = make()
    lines = [{"item": 1, "flag": True, "note": "x", "annotator": "anna", "time": 1.5, "event": "r1"}]
    lines += [{**lines[0], "item": 3, "flag": False, "event": "r2"}]
    text = "\n".join(json.dumps(line) for line in lines)
    (root / "remarks.jsonl").write_text(text + '\n{"item": 2, "fl')  # cut off by a power cut
    for _ in range(2):
        with OpenCampaign(root) as campaign:
            found = campaign.store.remarks(range(6))
        assert {item: (one.flag, one.note, one.annotator) for item, one in found.items()} == {
            1: (True, "x", "anna"),
            3: (False, "x", "anna"),
        }
    assert not (root / "remarks.jsonl").exists()


def test_remarks_that_cannot_be_moved_stay(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    root = make()
    (root / "remarks.jsonl").write_text('{"item": 1, "flag": true, "note": "x", "annotator": "anna", "event": "r1"}')

    def refuse(path: Path, target: Path) -> Path:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", refuse)
    with OpenCampaign(root) as campaign:
        assert campaign.store.remarks([1])[1].note == "x"
    assert (root / "remarks.jsonl").exists()


COMMANDS = """
import sys
from pickwell.cli import main
root, labels, out = sys.argv[1:]
for words in (
    ["status", root], ["tell", root, labels], ["undo", root], ["import", root, labels, "--format", "csv"],
    ["export", root, "--format", "csv", "--out", out], ["close", root], ["report", root],
):
    sys.argv = ["pickwell", *words]
    try:
        main()
    except SystemExit as end:
        assert not end.code, words
    found = {"torch", "alembic", "sklearn"} & set(sys.modules)
    assert not found, (words, found)
"""


def test_commands_that_train_nothing_need_no_torch(make: Make, tmp_path: Path) -> None:
    root = make()
    (tmp_path / "labels.csv").write_text("item,label\n0,road\n1.png,sky\n")
    order = [sys.executable, "-c", COMMANDS, str(root), str(tmp_path / "labels.csv"), str(tmp_path / "out.csv")]
    done = subprocess.run(order, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.csv").read_text().count("road") == 1
    assert (root / "report.html").exists()


def test_every_room_but_the_loop_is_imported_without_torch() -> None:
    rooms = [
        "campaign.open_campaign",
        "campaign.status",
        "store",
        "web.server",
        "formats.importing",
        "formats.exporting",
    ]
    rooms += ["report.campaign_page", "report.page", "report.together", "tasks"]
    code = f"import sys, {', '.join(f'pickwell.{room}' for room in rooms)}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
