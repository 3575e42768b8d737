"""What a store must do with several opinions of one pick, and with remarks."""

from dataclasses import replace
from datetime import timedelta

from tests.store.stores import START, Clock, ask, opine, states, tell, truth

from pickwell.items import Kind, Label
from pickwell.store import Remark, Store


class TestOverlap:
    """Each begins with an empty store."""

    def test_a_pick_is_decided_once_enough_annotators_agree(self, store: Store) -> None:
        assert ask(store, [1, 2, 3], overlap=2).overlap == 2
        opine(store, "ann", {1: "cat", 2: Kind.IGNORE, 3: Kind.SKIP})
        assert (truth(store), set(states(store, 1).values())) == ({}, {"waiting"})
        assert opine(store, "bob", {1: "cat", 2: Kind.IGNORE}).closed is None
        assert (truth(store), store.ignored().tolist()) == ({1: "cat"}, [2])
        assert opine(store, "bob", {3: Kind.SKIP}).closed == 1
        assert states(store, 1) == {1: "answered", 2: "ignored", 3: "skipped"}
        assert [(entry.annotator, entry.opinion) for entry in store.log()] == [("ann", True)] * 3 + [("bob", True)] * 3

    def test_saying_it_twice_is_one_opinion(self, store: Store) -> None:
        ask(store, [1], overlap=2)
        opine(store, "ann", {1: "dog"})
        opine(store, "ann", {1: "cat"})
        assert states(store, 1) == {1: "waiting"}
        opine(store, "bob", {1: "cat"})
        assert truth(store) == {1: "cat"}  # the newest of each counts

    def test_opinions_that_differ_wait_for_a_decision(self, store: Store) -> None:
        ask(store, [4, 7], overlap=2)
        opine(store, "ann", {7: "cat", 4: "cat"})
        assert opine(store, "bob", {7: "dog", 4: Kind.SKIP}).closed is None
        assert states(store, 1) == {4: "disputed", 7: "disputed"}
        assert store.lease("eve", 9, 60, author="eve") == []
        assert store.hold("eve", [4, 7], 60) == []
        first, second = store.disputes()
        assert (first.item, first.round, first.rank, second.item) == (4, 1, 1, 7)
        said = [(one.annotator, one.kind, one.value, one.time) for one in first.opinions]
        assert said == [("ann", "answer", "cat", START), ("bob", "skip", None, START)]
        assert [dispute.item for dispute in store.disputes(1)] == [4]
        store.tell([Label(7, "owl", annotator="eve")], source="adjudicated")
        assert (truth(store), states(store, 1)[4]) == ({7: "owl"}, "disputed")
        assert store.tell([Label(4, "cat", annotator="eve")], source="adjudicated").closed == 1
        assert (truth(store), store.disputes()) == ({4: "cat", 7: "owl"}, [])

    def test_a_change_of_mind_settles_a_dispute_or_begins_one(self, store: Store) -> None:
        ask(store, [1, 2], overlap=2)
        opine(store, "ann", {1: "cat"})
        opine(store, "bob", {1: "dog"})
        opine(store, "bob", {1: "cat"})
        assert truth(store) == {1: "cat"}
        opine(store, "ann", {1: "owl"})
        assert (truth(store), states(store, 1)) == ({}, {1: "disputed", 2: "waiting"})
        assert [one.value for one in store.disputes()[0].opinions] == ["cat", "owl"]

    def test_three_must_agree_where_three_are_asked(self, store: Store) -> None:
        ask(store, [1, 2], overlap=3)
        for name in ("ann", "bob"):
            opine(store, name, {1: "cat", 2: "cat"})
        assert truth(store) == {}
        opine(store, "eve", {1: "cat", 2: "dog"})
        assert (truth(store), states(store, 1)[2]) == ({1: "cat"}, "disputed")

    def test_undo_goes_through_opinions_and_decisions_to_any_depth(self, store: Store) -> None:
        ask(store, [1], overlap=2)
        opine(store, "ann", {1: "cat"})
        opine(store, "bob", {1: "dog"})
        store.tell([Label(1, "dog", annotator="eve")], source="adjudicated")
        assert (store.current(), truth(store)) == (None, {1: "dog"})
        assert store.undo() == [Label(1, "dog", annotator="eve")]
        assert (states(store, 1), len(store.disputes())) == ({1: "disputed"}, 1)
        assert (store.current() or ask(store, [1])).number == 1  # open again
        assert store.undo(annotator="ann") == [Label(1, "cat", annotator="ann")]
        assert (states(store, 1), store.disputes()) == ({1: "waiting"}, [])
        opine(store, "eve", {1: "dog"})
        assert truth(store) == {1: "dog"}
        assert [store.undo()[0].annotator, store.undo()[0].annotator, store.undo()] == ["eve", "bob", []]
        assert (states(store, 1), truth(store)) == ({1: "waiting"}, {})

    def test_a_label_that_is_no_opinion_decides_alone(self, store: Store) -> None:
        """Imports, oracles and adjudications decide, whatever several people say of the pick."""
        ask(store, [1, 2], overlap=2)
        tell(store, {1: "cat"})
        assert truth(store) == {1: "cat"}
        opine(store, "ann", {1: "dog"})
        opine(store, "bob", {1: "dog"})
        assert truth(store) == {1: "cat"}
        told = opine(store, "ann", {2: "cat"})
        assert (told.answered, told.corrected) == (1, 0)

    def test_where_one_is_asked_an_opinion_is_a_label(self, store: Store) -> None:
        ask(store, [1])
        opine(store, "ann", {1: "cat"})
        opine(store, "bob", {1: "dog"})
        assert (truth(store), [entry.opinion for entry in store.log()]) == ({1: "dog"}, [False, False])

    def test_nobody_is_asked_twice_and_each_pick_by_one_at_a_time(self, store: Store) -> None:
        ask(store, [1, 2, 3], overlap=2)

        def lease(name: str, n: int) -> list[int]:
            return [pick.item for pick in store.lease(f"{name}/tab", n, 60, author=name)]

        assert (lease("ann", 2), lease("bob", 9)) == ([1, 2], [3])
        opine(store, "ann", {1: "cat", 2: "cat"})
        assert (lease("ann", 9), lease("bob", 9)) == ([], [1, 2, 3])
        opine(store, "bob", {1: "dog", 2: "cat", 3: "cat"})
        assert (lease("ann", 9), lease("bob", 9), lease("eve", 9)) == ([3], [], [])
        store.release("ann/tab")
        store.undo(annotator="bob")
        assert lease("bob", 9) == [1, 2, 3]

    def test_a_holding_says_who_has_an_opinion(self, store: Store) -> None:
        ask(store, [1, 2], overlap=2)
        opine(store, "ann", {1: "cat"})
        opine(store, "bob", {1: "dog"})
        found = store.holdings([1, 2])
        assert (found[1].state.value, found[1].overlap, sorted(found[1].opinions)) == ("disputed", 2, ["ann", "bob"])
        assert (found[2].state.value, found[2].opinions) == ("waiting", frozenset())
        store.undo(annotator="bob")
        assert store.holdings([1])[1].opinions == {"ann"}

    def test_an_opinion_told_again_counts_once(self, store: Store) -> None:
        ask(store, [1], overlap=2)
        opine(store, "ann", {1: "cat"}, event="a")
        assert opine(store, "ann", {1: "cat"}, event="a").repeated
        assert (store.position(), truth(store)) == (1, {})

    def test_disputes_of_a_round_closed_by_hand_may_be_asked_again(self, store: Store) -> None:
        """Closing leaves the disputes open; one whose image is asked again is that new round's affair."""
        ask(store, [1, 2], overlap=2)
        opine(store, "ann", {1: "cat", 2: "cat"})
        opine(store, "bob", {1: "dog", 2: "dog"})
        store.close_round(1)
        assert ([one.item for one in store.disputes()], store.taken().tolist()) == ([1, 2], [])
        ask(store, [2], number=2)
        assert [one.item for one in store.disputes()] == [1]
        store.tell([Label(1, "dog")], source="adjudicated")
        assert (truth(store), store.disputes()) == ({1: "dog"}, [])

    def test_the_newest_remark_of_an_item_stands(self, store: Store, clock: Clock) -> None:
        made = store.keep_remark(Remark(3, "a", "ann", flag=True, note="blurred"))
        assert made == Remark(3, "a", "ann", True, "blurred", START)
        clock.forward(1)
        store.keep_remark(Remark(3, "b", "bob", note="no, sharp"))
        store.keep_remark(Remark(5, "c", "bob", flag=True))
        assert store.keep_remark(replace(made, time=None)) == made  # the event is known
        newest = Remark(3, "b", "bob", False, "no, sharp", START + timedelta(seconds=1))
        assert store.remarks([3, 4]) == {3: newest}
        assert (sorted(store.remarks(range(9))), store.remarks([])) == ([3, 5], {})
