"""Several processes at one database, and processes that die."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from tests.store.stores import ask, truth

import pickwell
from pickwell.store import Store

HEAD = """
import sys
from pickwell.errors import BusyError, RoundError
from pickwell.items import Label, Pick
from pickwell.store import Store
url, name = sys.argv[1:]
def go():
    print("ready", flush=True)
    sys.stdin.readline()
"""
OPEN = """
store = Store.open(url); go()
picks = [Pick(item, item + 1, 0.5) for item in range(500)]
try:
    store.open_round(number=1, strategy=name, seed=1, picks=picks); print("won")
except RoundError as error:
    print(error)
"""
CREATE = """
go(); store = Store.open(url, create=True); print(store.position())
"""
LABEL = """
store = Store.open(url); go()
while picks := store.lease(name, 3, 60):
    for pick in picks:
        store.tell([Label(pick.item, name, annotator=name)], source="page"); print(pick.item)
"""
BURST = """
store = Store.open(url); go()
for item in range(int(name), 1000):
    store.tell([Label(item, f"class {item}"), Label(item + 1000, f"class {item}")], source="page", event=str(item))
    print(item, flush=True)
"""


def start(script: str, url: str, name: str) -> "subprocess.Popen[str]":
    environment = {**os.environ, "PYTHONPATH": str(Path(pickwell.__path__[0]).parent)}
    command = [sys.executable, "-c", HEAD + script, url, name]
    process = subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    return process


def together(script: str, url: str, names: Sequence[str]) -> list[list[str]]:
    """The lines that processes print which go off at the same moment."""
    processes = [start(script, url, name) for name in names]
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    printed = [process.communicate(timeout=60)[0].splitlines() for process in processes]
    assert [process.returncode for process in processes] == [0] * len(names)
    return printed


def test_exactly_one_of_two_processes_opens_the_round(make: Callable[[str], Store], url: str) -> None:
    store = make(url)
    ends = dict(zip("ab", together(OPEN, url, "ab"), strict=True))
    (winner,) = [name for name, printed in ends.items() if printed == ["won"]]
    (loser,) = ends.keys() - {winner}
    assert "round 1 cannot open" in ends[loser][0]
    assert (store.round(1).strategy, len(store.round(1).picks), len(store.rounds())) == (winner, 500, 1)


def test_processes_may_make_the_database_at_once(url: str) -> None:
    assert together(CREATE, url, "abc") == [["0"]] * 3


def test_annotators_share_a_round_and_nothing_is_lost_or_asked_twice(make: Callable[[str], Store], url: str) -> None:
    store = make(url)
    ask(store, range(60))
    ends = together(LABEL, url, ["ann", "bob", "eve"])
    assert sorted(int(item) for printed in ends for item in printed) == list(range(60))
    answers = {int(item): name for name, printed in zip(["ann", "bob", "eve"], ends, strict=True) for item in printed}
    assert (truth(store), store.position(), store.round(1).state) == (answers, 60, "closed")


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_what_was_acknowledged_outlives_a_kill(make: Callable[[str], Store], url: str) -> None:
    store = make(url)
    ask(store, range(2000))
    acknowledged: list[int] = []
    for burst in (1, 2, 17, 5, 30, 3):
        process = start(BURST, url, str(len(acknowledged)))
        assert process.stdin
        assert process.stdout
        process.stdin.write("go\n")
        process.stdin.flush()
        acknowledged += [int(process.stdout.readline()) for _ in range(burst)]
        process.send_signal(signal.SIGKILL)
        acknowledged += [int(line) for line in process.communicate(timeout=60)[0].splitlines()]
        with store._database.writing():  # a server may still be committing what a dead client had sent
            pass
        kept = truth(store)
        first = {item for item in kept if item < 1000}
        assert first >= set(acknowledged)
        assert len(first - set(acknowledged)) <= 1  # one more may have been stored, its answer under way
        assert kept == {item + half: f"class {item}" for item in first for half in (0, 1000)}  # all or nothing
        states = {p.item for p in store.round(1).picks if p.state == "answered"}
        assert states == kept.keys()
    # Told again, stored once. Entries are counted: PostgreSQL gives out the ids of a killed transaction no more.
    assert sum(1 for _ in store.log()) == 2 * len({item for item in truth(store) if item < 1000})
