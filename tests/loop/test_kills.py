"""SIGKILL at random moments: nothing acknowledged is lost, and the end is the same as without a kill."""

import itertools
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pickwell.items import RoundState
from pickwell.loop.campaign import Campaign

ROUNDS, BUDGET = 3, 12

LOOP = f"""
import sys
from pickwell.loop.campaign import Campaign

with Campaign(sys.argv[1]) as campaign:
    print("ready", flush=True)
    while sum(r.state == "closed" for r in campaign.store.rounds(picks=False)) < {ROUNDS}:
        question = campaign.ask({BUDGET})
        print("asked", question.number, *(pick.item for pick in question.picks), flush=True)
        waiting = [pick.item for pick in question.waiting]
        for some in (waiting[:5], waiting[5:]):
            campaign.tell({{item: campaign.pool.item(item).known for item in some}})
            print("told", *some, flush=True)
        campaign.fit()
print("finished", flush=True)
"""


class Worker:
    """A process that works a campaign through, and what it has acknowledged."""

    def __init__(self, root: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", LOOP, str(root)], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout
        assert self.process.stdout.readline() == "ready\n"

    def kill_after(self, seconds: float) -> list[list[str]]:
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGKILL)
        assert self.process.stdout
        with self.process.stdout as stdout:
            lines = stdout.read().splitlines()
        code = self.process.wait()
        assert code in (0, -signal.SIGKILL), f"the worker ended with {code}: {lines}"
        return [line.split() for line in lines]


def picks(root: Path) -> list[list[tuple[int, int, float, bool]]]:
    with Campaign(root) as campaign:
        return [[(p.rank, p.item, p.score, p.held_out) for p in r.picks] for r in campaign.store.rounds()]


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "made")
    settings = tmp_path / "made" / "campaign.toml"
    text = settings.read_text().replace("checkpoint_seconds = 60.0", "checkpoint_seconds = 0.05")
    settings.write_text(text.replace("steps = 3", "steps = 20"))
    return tmp_path / "made"


def survive(root: Path, kills: int, seed: int) -> None:
    undisturbed, done = root.with_name("undisturbed"), 0
    shutil.copytree(root, undisturbed)
    began = time.monotonic()
    worker = Worker(undisturbed)
    assert worker.kill_after(300)[-1] == ["finished"]
    whole, expected = time.monotonic() - began, picks(undisturbed)
    moments, campaigns = random.Random(seed), itertools.count()
    while done < kills:
        copy = root.with_name(f"killed-{next(campaigns)}")
        shutil.copytree(root, copy)
        told: set[int] = set()
        asked: dict[str, list[str]] = {}
        finished = False
        while not finished:
            worker = Worker(copy)
            # Past `kills` the last campaign may finish: what counts is how it ends.
            lines = worker.kill_after(moments.uniform(0, whole / 3) if done < kills else 300)
            finished = ["finished"] in lines
            done += not finished
            for word, *rest in lines:
                if word == "told":
                    told |= set(map(int, rest))
                if word == "asked":
                    assert asked.setdefault(rest[0], rest[1:]) == rest[1:], "an open round changed its picks"
            with Campaign(copy) as campaign:
                assert told <= set(campaign.store.labels().items.tolist()), "an acknowledged label is missing"
                states = [r.state for r in campaign.store.rounds(picks=False)]
                assert states.count(RoundState.OPEN) <= 1
        assert picks(copy) == expected


def test_a_few_kills_change_nothing(root: Path) -> None:
    survive(root, kills=3, seed=1)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_thirty_kills_change_nothing(root: Path) -> None:
    survive(root, kills=30, seed=2)


def test_a_second_process_waits_or_is_told(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pickwell.campaign import directory
    from pickwell.errors import BusyError

    monkeypatch.setattr(directory, "PATIENCE", 0.05)
    with Campaign(root) as first, Campaign(root) as second, first.directory.exclusive("fit"):
        with pytest.raises(BusyError, match=r"is in use by process \d+ \(fit\); ask waited 0.05 s: try again later"):
            second.ask(5)
        assert first.store.rounds() == []
