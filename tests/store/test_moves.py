"""Random moves of several annotators against a model that a person can read."""

import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.store.stores import Clock

from pickwell.errors import LabelError, RoundError
from pickwell.items import Kind, Label, Pick
from pickwell.store import Store

MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # thousands of commits: a disk would be slow
ITEMS = range(8)
PEOPLE = st.sampled_from(["ann", "bob"])
WORD = {Kind.ANSWER: "answered", Kind.SKIP: "skipped", Kind.IGNORE: "ignored"}


class Model:
    """What a store should say: rounds as lists of items, and for each label its whole history."""

    def __init__(self) -> None:
        self.rounds: list[list[int]] = []  # the items of each round in rank order; its number is its index + 1
        self.states: list[str] = []
        self.self_closed: set[int] = set()  # rounds that answers closed
        self.batches: list[
            tuple[str | None, int, dict[int, Label], dict[int, int]]
        ] = []  # author (of clicks), rounds so far, labels, picks
        self.imports: set[int] = set()
        self.leases: dict[int, tuple[str, int]] = {}

    @property
    def current(self) -> int | None:
        return self.states.index("open") if "open" in self.states else None

    def asked_in(self, item: int) -> int | None:
        undone = {n for n in self.imports if self.states[n] == "abandoned"}
        return max((n for n, items in enumerate(self.rounds) if item in items and n not in undone), default=None)

    def says(self, number: int, item: int) -> Label | None:
        """The newest label that stands of an item in a round."""
        told = [labels[item] for _, _, labels, picks in self.batches if picks.get(item) == number]
        return told[-1] if told else None

    def decided(self) -> dict[int, Label]:
        found = {}
        for number, items in enumerate(self.rounds):
            for item in items:
                label = self.says(number, item)
                if label and label.kind is not Kind.SKIP:
                    found[item] = label
        return found

    def waiting(self, number: int) -> list[int]:
        return [item for item in self.rounds[number] if self.says(number, item) is None]

    def close(self) -> None:
        assert self.current is not None
        self.states[self.current] = "closed"
        self.leases.clear()


class Moves(RuleBasedStateMachine):
    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(dir=MEMORY))
        shutil.copy(self.template, self.folder / "a.db")
        self.clock = Clock()
        self.store = Store.open(str(self.folder / "a.db"), clock=self.clock)
        self.model = Model()

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)

    @rule(items=st.lists(st.sampled_from(ITEMS), unique=True, max_size=4))
    def open(self, items: list[int]) -> None:
        picks = [Pick(item, rank, 0.5) for rank, item in enumerate(items, 1)]
        arguments: dict[str, Any] = {"number": len(self.model.rounds) + 1, "strategy": "x", "seed": 0, "picks": picks}
        if self.model.current is not None or not items or self.model.decided().keys() & set(items):
            with pytest.raises(RoundError):
                self.store.open_round(**arguments)
        else:
            self.store.open_round(**arguments)
            self.model.rounds.append(items)
            self.model.states.append("open")

    @rule(
        items=st.lists(st.sampled_from(ITEMS), unique=True, min_size=1, max_size=3),
        kind=st.sampled_from(Kind),
        who=PEOPLE,
        imported=st.booleans(),
    )
    def tell(self, items: list[int], kind: Kind, who: str, imported: bool) -> None:
        value = f"class {len(self.model.batches)}" if kind is Kind.ANSWER else None
        labels = {item: Label(item, value, kind, who) for item in items}
        unasked = sorted(item for item in items if self.model.asked_in(item) is None)
        if unasked and not imported:
            with pytest.raises(LabelError):
                self.store.tell(list(labels.values()), source="test")
            return
        corrected = len(self.model.decided().keys() & set(items))
        # A file has no event, a click has: an annotator's undo is of clicks.
        event = None if imported else f"event {len(self.model.batches)} {self.store.position()}"
        told = self.store.tell(list(labels.values()), source="test", imported=imported, event=event)
        if unasked:
            self.model.imports.add(len(self.model.rounds))
            self.model.rounds.append(unasked)
            self.model.states.append("closed")
        picks = {item: self.model.asked_in(item) for item in items}
        known = {item: number for item, number in picks.items() if number is not None}
        self.model.batches.append((None if imported else who, len(self.model.rounds), labels, known))
        current = self.model.current
        closed = current is not None and not self.model.waiting(current)
        assert (told.corrected, told.closed) == (corrected, (current or 0) + 1 if closed else None)
        self.forget_leases(items)
        if closed:
            self.model.self_closed.add(current or 0)
            self.model.close()

    def forget_leases(self, items: Iterable[int]) -> None:
        for item in items:
            self.model.leases.pop(item, None)

    @rule(who=st.none() | PEOPLE)
    def undo(self, who: str | None) -> None:
        mine = [batch for batch in self.model.batches if who in (None, batch[0])]
        if not mine:
            assert self.store.undo(annotator=who) == []
            return
        _, opened, labels, picks = mine[-1]
        later = set(range(opened, len(self.model.rounds))) - self.model.imports
        if later:
            with pytest.raises(RoundError, match=f"round {max(later) + 1} was opened since"):
                self.store.undo(annotator=who)
            return
        assert self.store.undo(annotator=who) == list(labels.values())
        self.model.batches.remove(mine[-1])
        self.forget_leases(labels)
        self.reopen(set(picks.values()))

    def reopen(self, touched: set[int]) -> None:
        for number in touched & self.model.imports:
            if self.model.waiting(number) == self.model.rounds[number]:
                self.model.states[number] = "abandoned"
        for number in touched & self.model.self_closed:
            if self.model.current is None and self.model.states[number] == "closed" and self.model.waiting(number):
                self.model.states[number] = "open"
                self.model.self_closed.remove(number)

    @precondition(lambda self: self.model.current is not None)
    @rule()
    def close(self) -> None:
        assert self.model.current is not None
        self.store.close_round(self.model.current + 1)
        self.model.close()

    def held(self, who: str) -> list[int]:
        return [item for item, (name, until) in self.model.leases.items() if name == who and until > self.clock()]

    @rule(who=PEOPLE, n=st.integers(0, 3), seconds=st.integers(1, 20))
    def lease(self, who: str, n: int, seconds: int) -> None:
        number = self.model.current
        order = [] if number is None else self.model.waiting(number)
        live = {item for item, (_, until) in self.model.leases.items() if until > self.clock()}
        mine = [item for item in order if item in self.held(who)]
        expected = (mine + [item for item in order if item not in live])[:n]
        assert [p.item for p in self.store.lease(who, n, seconds)] == sorted(expected, key=order.index)
        self.model.leases |= dict.fromkeys(expected, (who, self.clock() + seconds * 1_000_000))

    @rule(who=PEOPLE, seconds=st.integers(1, 20))
    def heartbeat(self, who: str, seconds: int) -> None:
        held = self.held(who)
        assert self.store.heartbeat(who, seconds) == len(held)
        self.model.leases |= dict.fromkeys(held, (who, self.clock() + seconds * 1_000_000))

    @rule(who=PEOPLE)
    def release(self, who: str) -> None:
        held = self.held(who)
        assert self.store.release(who) == len(held)
        self.forget_leases(held)

    @rule(seconds=st.integers(1, 15))
    def wait(self, seconds: int) -> None:
        self.clock.forward(seconds)

    @invariant()
    def the_store_says_what_the_model_says(self) -> None:
        for number, found in enumerate(self.store.rounds()):
            assert (found.number, found.state) == (number + 1, self.model.states[number])
            assert [(p.item, p.state) for p in found.picks] == [
                (i, self.state(number, i)) for i in self.model.rounds[number]
            ]
        decided = self.model.decided()
        labels = self.store.labels()
        answers = {item: label.value for item, label in decided.items() if label.kind is Kind.ANSWER}
        assert dict(zip(labels.items.tolist(), labels.values, strict=True)) == answers
        assert self.store.ignored().tolist() == sorted(decided.keys() - answers.keys())
        current = self.model.current
        assert set(self.store.taken().tolist()) == decided.keys() | set(
            [] if current is None else self.model.rounds[current]
        )

    def state(self, number: int, item: int) -> str:
        label = self.model.says(number, item)
        if label:
            return WORD[label.kind]
        held = number == self.model.current and self.model.leases.get(item, ("", 0))[1] > self.clock()
        return "leased" if held else "waiting"


@pytest.mark.parametrize("examples", [6, pytest.param(60, marks=pytest.mark.slow)])
def test_any_order_of_moves(tmp_path: Path, examples: int) -> None:
    Store.open(str(tmp_path / "a.db"), create=True).close()
    Moves.template = tmp_path / "a.db"
    Moves.TestCase.settings = settings(max_examples=examples, stateful_step_count=20, deadline=None)
    Moves.TestCase("runTest").runTest()
