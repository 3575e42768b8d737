from tests.store.stores import Clock

from pickwell.items import Kind, Label, Pick, PickState
from pickwell.store import Holding, Store


def _open(store: Store) -> None:
    store.create_campaign(name="c", seed=0, settings={}, versions={})
    store.open_round(number=1, strategy="random", seed=0, picks=[Pick(item, item, 0.5) for item in (1, 2, 3, 4)])


def test_holding_says_who_holds_and_who_decided(store: Store, clock: Clock) -> None:
    _open(store)
    assert [pick.item for pick in store.lease("anna/1", 2, 60)] == [1, 2]
    store.tell([Label(2, "cat", annotator="anna")], source="page")
    store.tell([Label(3, None, Kind.SKIP, annotator="ben")], source="page")
    assert store.holdings([1, 2, 3, 4, 9]) == {
        1: Holding(1, PickState.LEASED, "anna/1", None),
        2: Holding(1, PickState.ANSWERED, None, "anna", "cat"),
        3: Holding(1, PickState.SKIPPED, None, "ben"),
        4: Holding(1, PickState.WAITING, None, None),
    }
    clock.forward(61)
    assert store.holdings([1]) == {1: Holding(1, PickState.WAITING, None, None)}


def test_a_clock_set_back_makes_no_lease_last_longer_than_twice(store: Store, clock: Clock) -> None:
    _open(store)
    store.lease("anna/1", 2, 60)
    clock.forward(-3600)
    assert store.holdings([1])[1].state is PickState.WAITING
    assert [pick.item for pick in store.lease("ben/1", 2, 60)] == [1, 2]
    clock.forward(-5)  # as a network's time sets it: no lease ends for that
    assert store.heartbeat("ben/1", 60) == 2
    clock.forward(61)
    assert store.heartbeat("ben/1", 60) == 0


def test_hold_takes_only_what_nobody_else_holds(store: Store) -> None:
    _open(store)
    store.lease("ben/1", 1, 60)
    store.tell([Label(3, "cat")], source="page")
    assert [pick.item for pick in store.hold("anna/1", [4, 3, 2, 1], 60)] == [2, 4]
    assert [pick.item for pick in store.lease("ben/1", 4, 60)] == [1]


def test_hold_of_a_closed_round_gives_nothing(store: Store) -> None:
    _open(store)
    store.close_round(1)
    assert store.hold("anna/1", [1], 60) == []
