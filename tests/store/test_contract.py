"""What a store must do, on SQLite and on PostgreSQL: the fixtures `store` and `clock` are in conftest.py."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from tests.store.stores import START, Clock, ask, opine, states, tell, truth

from pickwell.errors import LabelError, RoundError, StoreError
from pickwell.items import Kind, Label, Pick, PickState, Round, RoundKind, RoundState
from pickwell.store import Remark, Store, Told


class TestStore:
    """Each begins with an empty store."""

    def test_texts_that_a_database_cannot_keep_are_refused_before_it_sees_them(self, store: Store) -> None:
        ask(store, [0])
        for text in ("a\0b", "\ud800"):
            with pytest.raises(LabelError, match="cannot be stored; use valid Unicode"):
                store.keep_remark(Remark(0, "e1", "anna", note=text))
            with pytest.raises(LabelError, match="cannot be stored; use valid Unicode"):
                tell(store, {0: text}, "anna")
        assert (store.position(), store.remarks([0])) == (0, {})

    def test_a_campaign_is_kept_as_it_was_made_and_only_once(self, store: Store) -> None:
        with pytest.raises(StoreError, match=r"no campaign is in .* yet; make one with 'pickwell init'"):
            store.campaign()
        settings = {"classes": ["b", "a"], "rate": 0.1, "path": None}
        store.create_campaign(name="Blätter", seed=2**63 - 1, settings=settings, versions={"torch": "2.13"})
        row = store.campaign()
        assert (row.name, row.seed, row.created) == ("Blätter", 2**63 - 1, START)
        assert (list(row.settings.items()), row.versions) == (list(settings.items()), {"torch": "2.13"})
        with pytest.raises(StoreError, match="holds the campaign 'Blätter' already; make 'other' elsewhere"):
            store.create_campaign(name="other", seed=0, settings={}, versions={})

    def test_a_campaign_in_which_nothing_was_done_may_be_made_again(self, store: Store, clock: Clock) -> None:
        made: dict[str, Any] = {
            "name": "birds", "seed": 1, "settings": {"classes": ["b", "a"], "rate": 0.1}, "versions": {"made in": "/a"},
        }  # fmt: skip
        store.create_campaign(**made)
        clock.forward(60)
        store.create_campaign(**made)
        row = store.campaign()
        assert (row.versions, row.created) == ({"made in": "/a"}, START + timedelta(minutes=1))
        others: list[dict[str, Any]] = [
            {"name": "bees"}, {"seed": 2}, {"settings": {"classes": ["b", "a"], "rate": 0.2}},
            {"versions": {"made in": "/b"}},
        ]  # fmt: skip
        for other in others:
            with pytest.raises(StoreError, match="holds the campaign 'birds' already"):
                store.create_campaign(**made | other)
        store.record(0, {"accuracy": 0.5}, labels=0)
        with pytest.raises(StoreError, match="holds the campaign 'birds' already; make 'birds' elsewhere"):
            store.create_campaign(**made)
        assert store.campaign() == row

    def test_a_round_comes_back_as_it_was_opened(self, store: Store, clock: Clock) -> None:
        """Ids beyond 32 bits, floats to the last bit, infinities and NaN, which equals nothing, not even itself."""
        assert (store.current(), store.rounds(), store.next_number()) == (None, [], 1)
        picks = [Pick(9, 2, -math.inf), Pick(2**62, 1, 0.1 + 0.2, held_out=True), Pick(0, 3, math.nan)]
        monitors = {"units": np.float32(3), "curve": np.array([1, 2]), "loss": math.nan}
        opened = store.open_round(
            number=1,
            strategy="vaal",
            seed=5,
            picks=picks,
            settings={"beta": 1},
            timings={"fit": 2.5},
            monitors=monitors,
        )
        assert opened == store.current() == store.round(1) or math.isnan(opened.picks[2].score)
        assert [(p.item, p.rank, p.held_out) for p in opened.picks] == [(2**62, 1, True), (9, 2, False), (0, 3, False)]
        assert [p.score for p in opened.picks[:2]] == [0.1 + 0.2, -math.inf]
        assert (opened.state, opened.strategy, opened.seed, opened.settings) == ("open", "vaal", 5, {"beta": 1})
        details = store.details(1)
        assert (details.opened, details.closed, details.position) == (START, None, 0)
        assert (details.timings, details.versions) == ({"fit": 2.5}, {})
        assert (details.monitors["units"], details.monitors["curve"]) == (3.0, [1, 2])
        assert math.isnan(details.monitors["loss"])
        clock.forward(60)
        store.close_round(1)
        assert store.details(1).closed == START + timedelta(minutes=1)
        assert store.rounds(picks=False) == [Round(1, RoundState.CLOSED, "vaal", 5, (), {"beta": 1})]

    def test_one_round_is_open_at_a_time(self, store: Store) -> None:
        ask(store, [1, 2])
        tell(store, {1: "cat"})
        with pytest.raises(RoundError, match="round 2 cannot open: round 1 is still open, with 1 of 2 picks waiting"):
            ask(store, [3], number=2)
        store.close_round(1)
        with pytest.raises(RoundError, match="round 1 cannot open: there is one of that number already; the next is 2"):
            ask(store, [3], number=1)
        ask(store, [2], number=2)
        assert [r.state for r in store.rounds()] == ["closed", "open"]

    @pytest.mark.parametrize(
        ("picks", "sentence"),
        [
            ([], "it has no picks"),
            ([Pick(4, 1, 0), Pick(4, 2, 0)], "item 4 is picked 2 times"),
            ([Pick(4, 1, 0), Pick(5, 1, 0)], "rank 1 is picked 2 times"),
            ([Pick(-4, 1, 0)], "item -4 is negative"),
            ([Pick(3, 1, 0), Pick(1, 2, 0)], r"item 1 is labelled already \(1 of its picks are taken\)"),
            ([Pick(2, 1, 0)], "item 2 is ignored already"),
        ],
    )
    def test_a_round_with_wrong_picks_leaves_nothing(self, store: Store, picks: list[Pick], sentence: str) -> None:
        ask(store, [1, 2])
        store.tell([Label(1, "cat"), Label(2, None, Kind.IGNORE)], source="test")
        with pytest.raises(RoundError, match=f"round 2 cannot open: {sentence}"):
            store.open_round(number=2, strategy="vaal", seed=0, picks=picks)
        assert (store.current(), len(store.rounds())) == (None, 1)
        with pytest.raises(RoundError, match="there is no round 2; the last one is 1"):
            store.round(2)

    def test_closing_moves_only_an_open_round(self, store: Store) -> None:
        with pytest.raises(RoundError, match="there is no round 1; none was opened yet"):
            store.close_round(1)
        ask(store, [1, 2])
        store.lease("ann", 1, 60)
        store.close_round(1)
        assert (store.round(1).state, states(store, 1)) == ("closed", {1: "waiting", 2: "waiting"})
        assert (store.taken().tolist(), store.count_taken()) == ([], 0)
        with pytest.raises(RoundError, match="round 1 cannot be closed: it is closed already"):
            store.close_round(1)

    def test_telling_moves_picks_and_the_last_one_closes_the_round(self, store: Store) -> None:
        ask(store, [5, 3, 8, 1], held_out=[3])
        assert store.taken().tolist() == [1, 3, 5, 8]
        assert store.count_taken() == 4
        told = store.tell([Label(8, None, Kind.SKIP), Label(5, "cat", annotator="ann", seconds=1.5)], source="page")
        assert (told.answered, told.skipped, told.ignored, told.corrected, told.closed) == (1, 1, 0, 0, None)
        assert states(store, 1) == {5: "answered", 3: "waiting", 8: "skipped", 1: "waiting"}
        told = store.tell([Label(1, None, Kind.IGNORE), Label(3, "dog")], source="page")
        assert (told.answered, told.ignored, told.closed) == (1, 1, 1)
        assert (store.current(), store.round(1).state) == (None, "closed")
        labels = store.labels()
        assert (labels.items.tolist(), labels.values, len(labels)) == ([3, 5], ["dog", "cat"], 2)
        assert (labels.held_out.tolist(), labels.rounds.tolist()) == ([True, False], [1, 1])
        assert [a.dtype for a in (labels.items, labels.held_out, labels.rounds)] == [np.int64, np.bool_, np.int64]
        some = store.labels([8, 5, 77])
        assert (some.items.tolist(), some.values, len(store.labels([]))) == ([5], ["cat"], 0)
        assert (store.ignored().tolist(), store.taken().tolist()) == ([1], [1, 3, 5])
        assert sorted(store.holdings(range(10))) == [1, 3, 5, 8]

    @pytest.mark.parametrize(
        ("labels", "sentence"),
        [
            ([Label(1, "a"), Label(7, "b")], "item 7 was never asked for; label what a round has picked, or import"),
            ([Label(i, "b") for i in range(1, 10)], "items 3, 4, 5, 6, 7 and 1 more were never asked for"),
            ([Label(1, "a"), Label(1, "b")], "item 1 has two labels in one batch"),
            ([Label(2, "a"), Label(1, None)], "item 1 has the answer None; an answer needs a label"),
            ([Label(1, "a", Kind.SKIP)], "item 1 has the skip 'a'; an answer needs a label, skip and ignore have none"),
            ([Label(-1, "a")], "item -1 does not exist"),
            ([Label(1, "a\0b")], "has characters that cannot be stored"),
            ([Label(1, "\ud800")], "has characters that cannot be stored"),
        ],
    )
    def test_a_wrong_label_keeps_nothing_of_its_batch(self, store: Store, labels: list[Label], sentence: str) -> None:
        ask(store, [1, 2, 8])
        with pytest.raises(LabelError, match=sentence):
            store.tell(labels, source="test")
        assert (truth(store), store.position(), list(store.log())) == ({}, 0, [])
        assert set(states(store, 1).values()) == {"waiting"}

    def test_the_newest_label_wins(self, store: Store) -> None:
        ask(store, [1, 2])
        tell(store, {1: "cat", 2: "cat"})
        assert tell(store, {1: "dog"}).corrected == 1
        assert truth(store) == {1: "dog", 2: "cat"}
        assert store.tell([Label(2, None, Kind.IGNORE), Label(1, None, Kind.SKIP)], source="test").corrected == 2
        assert (truth(store), store.ignored().tolist(), store.taken().tolist()) == ({}, [2], [2])
        ask(store, [1], number=2)  # what was skipped may be asked again
        assert (tell(store, {1: "owl", 2: "fox"}).corrected, truth(store)) == (1, {1: "owl", 2: "fox"})
        assert store.labels().rounds.tolist() == [2, 1]

    def test_a_late_answer_belongs_to_the_last_round_that_asked(self, store: Store) -> None:
        ask(store, [1, 2, 3])
        store.close_round(1)
        ask(store, [2], number=2)
        assert tell(store, {1: "cat", 2: "dog"}).closed == 2
        assert (truth(store), store.labels().rounds.tolist()) == ({1: "cat", 2: "dog"}, [1, 2])

    def test_telling_nothing_does_nothing(self, store: Store) -> None:
        assert store.tell([], source="test", event="e") == Told(batch=0)
        assert store.position() == 0

    def test_the_same_event_is_acknowledged_and_stored_once(self, store: Store) -> None:
        """A client that lost the answer sends the event again: told or undone, it happens once."""
        ask(store, [1, 2])
        first = tell(store, {1: "cat"}, event="a")
        tell(store, {1: "dog"}, event="b")
        again = tell(store, {1: "cat"}, event="a")
        assert (again.batch, again.answered, again.repeated, first.repeated) == (first.batch, 1, True, False)
        assert (truth(store), store.position()) == ({1: "dog"}, 2)
        assert [one.value for one in store.undo(event="c")] == ["dog"]
        assert [one.value for one in store.undo(event="c")] == ["dog"]
        assert truth(store) == {1: "cat"}

    def test_an_undo_of_nothing_sent_again_undoes_nothing(self, store: Store) -> None:
        ask(store, [1])
        assert store.undo(annotator="ann", event="u") == []
        tell(store, {1: "cat"}, "ann")
        assert (store.undo(annotator="ann", event="u"), truth(store)) == ([], {1: "cat"})
        assert [one.item for one in store.undo(annotator="ann", event="v")] == [1]

    @pytest.mark.parametrize("names", [("ann", "bob"), ("ann", "ann"), ("", "")])
    def test_no_page_takes_back_a_file(self, store: Store, names: tuple[str, str]) -> None:
        ask(store, [1, 2])
        rows = [Label(item, "cat", annotator=name) for item, name in zip((8, 9), names, strict=True)]
        store.tell(rows, source="file old.csv", imported=True)
        store.tell([Label(1, "dog", annotator=names[0])], source="page", event="e")
        assert [one.item for one in store.undo(annotator=names[0], event="u")] == [1]
        assert (store.undo(annotator=names[0], event="v"), truth(store)) == ([], {8: "cat", 9: "cat"})
        assert [one.item for one in store.undo()] == [8, 9]

    def test_when_answers_changed(self, store: Store, clock: Clock) -> None:
        ask(store, [1, 2])
        assert store.changed() is None
        tell(store, {1: "cat"})
        clock.forward(1)
        store.tell([Label(2, None, Kind.SKIP)], source="test")
        assert store.changed() == START
        store.undo()
        store.undo()
        assert store.changed() == START + timedelta(seconds=1)

    def test_an_opinion_that_decides_nothing_changes_no_answer(self, store: Store, clock: Clock) -> None:
        ask(store, [1], overlap=2)
        opine(store, "ann", {1: "cat"})
        assert store.changed() is None
        clock.forward(1)
        opine(store, "bob", {1: "cat"})
        assert store.changed() == START + timedelta(seconds=1)
        store.record(1, {"accuracy": 0.5}, labels=1, known=store.changed())
        assert store.results()[0].time == store.changed()

    def test_imports_become_picks_of_a_closed_round(self, store: Store) -> None:
        ask(store, [1, 2])
        labels = [Label(9, "owl"), Label(1, "cat"), Label(4, "fox"), Label(6, None, Kind.IGNORE)]
        told = store.tell(labels, source="old.csv", imported=True, held_out=[4, 1])
        assert (told.answered, told.ignored, told.closed) == (3, 1, None)
        assert (truth(store), store.labels().held_out.tolist()) == (
            {1: "cat", 4: "fox", 9: "owl"},
            [False, True, False],
        )
        made = store.round(2)
        assert (made.state, made.strategy, [p.item for p in made.picks]) == ("closed", "import", [4, 6, 9])
        assert [r.kind for r in store.rounds()] == ["asked", "imported"]
        assert [r.number for r in store.rounds(RoundKind.ASKED)] == [1]
        assert store.rounds(RoundKind.IMPORTED) == [made]
        assert (store.taken().tolist(), store.next_number()) == ([1, 2, 4, 6, 9], 3)
        store.undo()
        assert (truth(store), sorted(store.holdings(range(10))), store.round(2).state) == ({}, [1, 2], "abandoned")
        with pytest.raises(LabelError, match="item 4 was never asked for"):
            tell(store, {4: "fox"})
        store.tell([Label(4, "ape")], source="new.csv", imported=True)
        assert (truth(store), store.labels().held_out.tolist()) == ({4: "ape"}, [False])

    def test_undo_goes_to_any_depth_and_opens_the_round_again(self, store: Store) -> None:
        ask(store, [1, 2])
        tell(store, {1: "cat"})
        tell(store, {1: "dog"})
        store.tell([Label(2, None, Kind.SKIP, "ann", 2.5)], source="test")
        assert store.current() is None
        assert store.undo() == [Label(2, None, Kind.SKIP, "ann", 2.5)]
        assert (store.current() or ask(store, [2])).number == 1
        assert states(store, 1) == {1: "answered", 2: "waiting"}
        assert (store.undo(), truth(store)) == ([Label(1, "dog")], {1: "cat"})
        assert (store.undo(), truth(store)) == ([Label(1, "cat")], {})
        assert (store.undo(), states(store, 1)) == ([], {1: "waiting", 2: "waiting"})
        assert (store.details(1).closed, store.position()) == (None, 6)

    def test_undo_of_one_annotator_leaves_the_others(self, store: Store) -> None:
        ask(store, [1, 2, 3])
        tell(store, {1: "cat", 2: "cat"}, "ann")
        tell(store, {1: "dog"}, "bob")
        assert [one.item for one in store.undo(annotator="ann")] == [1, 2]
        assert (truth(store), store.undo(annotator="ann")) == ({1: "dog"}, [])
        assert states(store, 1) == {1: "answered", 2: "waiting", 3: "waiting"}

    def test_undo_is_refused_once_another_round_knows_the_labels(self, store: Store) -> None:
        ask(store, [1])
        tell(store, {1: "cat"})
        ask(store, [2], number=2)
        with pytest.raises(RoundError, match="cannot be undone: round 2 was opened since, knowing them; correct them"):
            store.undo()
        tell(store, {1: "dog"})
        assert (store.undo(), truth(store)) == ([Label(1, "dog")], {1: "cat"})
        store.close_round(2)
        with pytest.raises(RoundError, match="round 2 was opened since"):
            store.undo()
        assert [r.state for r in store.rounds()] == ["closed", "closed"]

    def test_a_round_closed_by_hand_stays_closed(self, store: Store) -> None:
        ask(store, [1, 2])
        tell(store, {1: "cat"})
        store.close_round(1)
        store.undo()
        assert (store.current(), states(store, 1)) == (None, {1: "waiting", 2: "waiting"})

    def test_the_log_forgets_nothing(self, store: Store, clock: Clock) -> None:
        ask(store, [1, 2])
        store.tell([Label(1, "cat", annotator="ann", seconds=0.25)], source="page")
        clock.forward(1)
        store.undo()
        first, second = store.log()
        assert (first.item, first.value, first.kind, first.annotator) == (1, "cat", "answer", "ann")
        assert (first.source, first.round, first.time, first.seconds) == ("page", 1, START, 0.25)
        assert (second.item, second.kind, second.undoes, second.source) == (1, "undo", first.id, "undo")
        assert second.time == START + timedelta(seconds=1)
        assert (store.position(), list(store.log(after=first.id))) == (second.id, [second])

    def test_leases_share_out_the_round_in_rank_order(self, store: Store) -> None:
        assert store.lease("ann", 2, 60) == []
        ask(store, [7, 5, 6, 4])
        assert [(p.item, p.rank, p.state) for p in store.lease("ann", 2, 60)] == [(7, 1, "leased"), (5, 2, "leased")]
        assert [p.item for p in store.lease("bob", 1, 60)] == [6]
        assert [p.item for p in store.lease("ann", 3, 60)] == [7, 5, 4]
        assert store.lease("eve", 9, 60) == []
        assert store.lease("ann", 0, 60) == []
        tell(store, {5: "cat"}, "eve")  # an answer counts, whoever holds the pick
        assert states(store, 1) == {7: "leased", 5: "answered", 6: "leased", 4: "leased"}
        assert (store.release("ann"), store.release("ann")) == (2, 0)
        assert [p.item for p in store.lease("eve", 9, 60)] == [7, 4]
        assert (store.release("bob"), [p.item for p in store.lease("eve", 2, 60)]) == (1, [7, 4])  # not 6, a better one
        tell(store, {7: "cat"}, "eve")
        store.undo()
        assert states(store, 1)[7] == "waiting"  # an answer ends its lease

    def test_a_lease_ends_by_itself_and_a_heartbeat_keeps_it(self, store: Store, clock: Clock) -> None:
        """Nobody ends it: it is over in the microsecond that it was given until."""
        ask(store, [1, 2])
        store.lease("ann", 1, 60)
        clock.forward(59)
        assert (store.heartbeat("ann", 60), store.heartbeat("bob", 60)) == (1, 0)
        clock.forward(59.999999)
        assert states(store, 1) == {1: "leased", 2: "waiting"}
        clock.forward(0.000001)
        assert (states(store, 1), store.heartbeat("ann", 60)) == ({1: "waiting", 2: "waiting"}, 0)
        assert [p.item for p in store.lease("bob", 2, 60)] == [1, 2]
        store.close_round(1)
        assert (store.heartbeat("bob", 60), {p.state for p in store.round(1).picks}) == (0, {PickState.WAITING})

    def test_of_two_who_believe_an_item_theirs_the_second_hears_of_it(self, store: Store, clock: Clock) -> None:
        ask(store, [1, 2])

        def told(who: str, value: str, event: str | None = None) -> Told:
            labels = [Label(1, value, annotator=who)]
            return store.tell(labels, source="test", event=event, opinion=True, holder=f"{who}/tab")

        store.lease("ann/tab", 1, 60)
        with pytest.raises(RoundError, match="item 1 is with ann at the moment"):
            told("bob", "dog")
        clock.forward(60)
        store.lease("bob/tab", 1, 60)
        assert told("bob", "dog", "bob 1").answered == 1
        with pytest.raises(RoundError, match="item 1 was decided by bob; it was not changed"):
            told("ann", "cat")
        assert told("bob", "dog", "bob 1").repeated
        told("bob", "cow")  # one's own answer can be corrected
        assert truth(store) == {1: "cow"}

    def test_results_are_kept_once(self, store: Store, clock: Clock) -> None:
        store.record(0, {"accuracy": 0.5, "loss": math.nan}, labels=10)
        clock.forward(1)
        store.record(1, {"accuracy": 0.75}, labels=20)
        store.record(0, {"accuracy": 0.625}, labels=10)
        found = {(r.round, r.labels, r.metric): r.value for r in store.results()}
        assert math.isnan(found.pop((0, 10, "loss")))
        assert found == {(0, 10, "accuracy"): 0.625, (1, 20, "accuracy"): 0.75}
        assert [r.time for r in store.results()] == [START, START + timedelta(seconds=1), START + timedelta(seconds=1)]

    def test_what_stands_says_who_and_when_and_nothing_of_what_is_asked_again(self, store: Store, clock: Clock) -> None:
        ask(store, [4, 6, 8, 9])
        long_ago = datetime(1969, 7, 20, 20, 17, 40, 5, UTC)
        told = [
            Label(6, None, Kind.SKIP, "bob", 0.5, long_ago),
            Label(8, None, Kind.IGNORE),
            Label(4, "cat", annotator="ann"),
        ]
        store.tell(told, source="test")
        stands = [replace(one, time=one.time or START) for one in (told[2], told[0], told[1])]
        assert store.standing() == stands
        store.close_round(1)
        clock.forward(5)
        ask(store, [6], number=2)
        assert [one.item for one in store.standing()] == [4, 8]
        tell(store, {4: "dog"})
        assert store.standing()[0] == Label(4, "dog", time=START + timedelta(seconds=5))
        store.undo()
        assert store.standing()[0] == stands[0]
