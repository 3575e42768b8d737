"""The loop with a stand-in for `pickwell`: a script that opens the next round, or fails."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pickwell.errors import BudgetError, RoundError, StoreError
from pickwell.items import Label
from pickwell.web import Desk, next_round
from pickwell.web.next_round import TRIES, Loop

ASKS = """
import sys
from pickwell.items import Pick
from pickwell.web import Desk
from pathlib import Path
_, ask, root, now, flag, budget, json = sys.argv
desk = Desk(Path(root))
free = sorted(set(range(len(desk.campaign.pool))) - set(desk.store.taken().tolist()))[:int(budget)]
picks = [Pick(item, rank, 0.0) for rank, item in enumerate(free, 1)]
desk.store.open_round(number=desk.store.next_number(), strategy="vaal", seed=0, picks=picks)
"""
FAILS = """
import sys
from pathlib import Path
calls = Path(sys.argv[2]) / "calls"
calls.write_text(calls.read_text() + "x" if calls.exists() else "x")
sys.exit("pickwell: the model's loss is nan")
"""
BUSY = (
    """
import sys
from pathlib import Path
calls = Path(sys.argv[2]) / "calls"
calls.write_text(calls.read_text() + "x" if calls.exists() else "x")
if len(calls.read_text()) <= 3:
    sys.exit(75)
"""
    + ASKS
)

ENCODES = (
    """
import sys, time
from pathlib import Path
if sys.argv[1] == "encode":
    from pickwell.campaign.progress_file import ProgressFile
    ProgressFile(Path(sys.argv[2]))("encoding", 3, 12)
    while not (Path(sys.argv[2]) / "encoded").exists():
        time.sleep(0.05)
    sys.exit(0)
"""
    + ASKS
)


@pytest.fixture(autouse=True)
def _watchful(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop looks twenty times a second, so that no test waits for it."""
    monkeypatch.setattr(next_round, "LOOK", 0.05)


def until(true: Callable[[], bool], seconds: float = 150) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.02)


def _desk(root: Path, encoder: str = "none", **loop: object) -> Desk:
    from pickwell.config import Settings

    path = root / "campaign.toml"
    changes = {"encoder": encoder} | {f"loop.{key}": value for key, value in loop.items()}
    path.write_text(Settings.read(path).changed(changes).toml())
    return Desk(root)


def _loop(desk: Desk, script: str, tmp_path: Path) -> Loop:
    path = tmp_path / "stand_in.py"
    path.write_text(script)
    return Loop(desk.campaign, (sys.executable, str(path)))


def test_the_next_round_follows_by_itself_until_all_is_labelled(root: Path, tmp_path: Path) -> None:
    desk = _desk(root, when="round", budget=8)
    loop = _loop(desk, ASKS, tmp_path)
    loop.start()
    for number, size in ((1, 8), (2, 4)):
        until(lambda number=number: (found := desk.store.current()) is not None and found.number == number)  # type: ignore[misc]
        question = desk.store.current()
        assert question is not None
        assert len(question.picks) == size
        desk.store.tell([Label(pick.item, "barn") for pick in question.picks], source="page")
        loop.look()
    until(lambda: not loop.state().running)
    assert loop.state().left == 0
    with pytest.raises(BudgetError, match="every image is labelled"):
        loop.ask()
    loop.stop()
    assert desk.store.current() is None
    desk.close()


def test_every_so_many_labels_what_is_left_goes_back(root: Path, tmp_path: Path) -> None:
    desk = _desk(root, when="every", every=3, budget=6)
    loop = _loop(desk, ASKS, tmp_path)
    loop.start()
    until(lambda: desk.store.current() is not None)
    desk.store.tell([Label(item, "barn") for item in range(3)], source="page")
    loop.look()
    until(lambda: (found := desk.store.current()) is not None and found.number == 2)
    question = desk.store.current()
    assert question is not None
    assert [pick.item for pick in question.picks] == [3, 4, 5, 6, 7, 8]
    loop.stop()
    desk.close()


def test_by_hand_nothing_is_asked_unless_a_person_says_so(root: Path, tmp_path: Path) -> None:
    desk = _desk(root, when="hand")
    loop = _loop(desk, ASKS, tmp_path)
    loop.start()
    time.sleep(0.3)
    assert desk.store.current() is None
    loop.ask(5)
    until(lambda: desk.store.current() is not None)
    until(lambda: not loop.state().running)
    with pytest.raises(RoundError, match="a round is still open"):
        loop.ask(5)
    loop.stop()
    desk.close()


def test_a_process_that_cannot_be_started_is_tried_again(root: Path, tmp_path: Path) -> None:
    desk = _desk(root, when="round", budget=4)
    late = tmp_path / "late"
    loop = Loop(desk.campaign, (str(late),))
    loop.start()
    until(lambda: "late: No such file or directory; check the path" in loop.state().error)
    with pytest.raises(StoreError, match="No such file or directory"):
        loop.ask()
    (tmp_path / "stand_in.py").write_text(ASKS)
    late.write_text(f'#!/bin/sh\nexec {sys.executable} {tmp_path / "stand_in.py"} "$@"\n')
    late.chmod(0o755)
    until(lambda: desk.store.current() is not None)
    until(lambda: loop.state().error == "")
    loop.stop()
    desk.close()


def test_a_busy_campaign_is_no_failure(root: Path, tmp_path: Path) -> None:
    desk = _desk(root, when="round", budget=4)
    loop = _loop(desk, BUSY, tmp_path)
    loop.start()

    def is_asked() -> bool:
        loop.look()
        return desk.store.current() is not None

    until(is_asked)
    assert len((root / "calls").read_text()) == 4 > TRIES
    until(lambda: loop.state().error == "")
    loop.stop()
    desk.close()


def test_a_failing_process_is_shown_and_not_started_for_ever(root: Path, tmp_path: Path) -> None:
    desk = _desk(root, when="round")
    loop = _loop(desk, FAILS, tmp_path)
    loop.start()
    calls = root / "calls"
    until(lambda: calls.exists() and len(calls.read_text()) == TRIES and loop.state().error != "")
    for _ in range(3):
        loop.look()
        time.sleep(0.2)
    assert len(calls.read_text()) == TRIES
    assert loop.state().error == "the model's loss is nan"
    loop.stop()
    desk.close()


def test_a_first_round_is_there_while_images_are_encoded_and_the_second_waits(root: Path, tmp_path: Path) -> None:
    desk = _desk(root, encoder="lite0", when="round", budget=4)
    loop = _loop(desk, ENCODES, tmp_path)
    loop.start()
    until(lambda: desk.store.current() is not None and loop.state().doing is not None)
    now, question = loop.state().doing, desk.store.current()
    assert now is not None
    assert question is not None
    assert (now.what, now.done, now.total) == ("encoding", 3, 12)
    until(lambda: not loop.state().running)
    desk.store.tell([Label(pick.item, "barn") for pick in question.picks], source="page")
    with pytest.raises(RoundError, match="the images are still being encoded"):
        loop.ask()
    assert desk.store.current() is None
    (root / "encoded").touch()
    until(lambda: (found := desk.store.current()) is not None and found.number == 2)
    loop.stop()
    desk.close()


def test_an_encoding_that_fails_is_told_once_and_labelling_goes_on(root: Path, tmp_path: Path) -> None:
    desk = _desk(root, encoder="timm:gone", when="hand")
    loop = _loop(desk, FAILS, tmp_path)
    loop.start()
    until(lambda: loop.state().error == "the model's loss is nan")
    for _ in range(3):
        loop.look()
        time.sleep(0.2)
    assert (root / "calls").read_text() == "x"
    loop.stop()
    desk.close()
