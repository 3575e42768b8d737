import time
from collections.abc import Callable
from threading import Event, Thread

import pytest
from tests.store.stores import ask, tell

from pickwell.errors import BusyError
from pickwell.store import Store
from pickwell.store.turns import Turns


def test_turns_are_taken_in_the_order_of_coming() -> None:
    turns, order = Turns(10, "busy"), []

    def take(number: int) -> None:
        with turns.turn():
            order.append(number)

    threads = [Thread(target=take, args=(number,)) for number in range(8)]
    with turns.turn():
        for thread in threads:
            thread.start()
            while len(turns._queue) < 2 + threads.index(thread):
                time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert order == list(range(8))


def test_whoever_gives_up_waiting_leaves_the_queue() -> None:
    turns = Turns(0.01, "in use")
    with turns.turn(), pytest.raises(BusyError, match="in use"), turns.turn():
        pass
    with turns.turn(), pytest.raises(KeyError):
        raise KeyError
    with turns.turn():
        assert len(turns._queue) == 1


def test_no_writer_of_a_process_waits_while_others_go_twice(make: Callable[[str], Store], sqlite: str) -> None:
    """Sixteen annotators at once: each tells as many labels as the others, whoever asks fastest."""
    store, stopped = make(sqlite), Event()
    ask(store, range(2000))
    told = [0] * 16

    def label(number: int) -> None:
        while not stopped.is_set():
            tell(store, {number + 16 * told[number]: "cat"}, f"annotator {number}")
            told[number] += 1

    threads = [Thread(target=label, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    stopped.set()
    for thread in threads:
        thread.join()
    assert max(told) - min(told) <= 3
