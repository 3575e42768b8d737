import time
from collections.abc import Callable

from pickwell.items import Label, Pick
from pickwell.store import Store


def test_a_hundred_thousand_labels(make: Callable[[str], Store], sqlite: str) -> None:
    store = make(sqlite)
    store.tell([Label(i, f"class {i % 10}") for i in range(100_000)], source="old.csv", imported=True)
    labels = store.labels()
    begin = time.process_time()
    store.labels()
    assert time.process_time() - begin < 0.5
    assert (labels.items.tolist(), labels.values[99_999]) == (list(range(100_000)), "class 9")
    begin = time.perf_counter()
    store.open_round(number=2, strategy="x", seed=0, picks=[Pick(10**6 + i, i + 1, 0.5) for i in range(10_000)])
    assert time.perf_counter() - begin < 2
    begin = time.perf_counter()
    for i in range(20):
        store.lease("ann", 5, 60)
        store.tell([Label(10**6 + i, "owl")], source="page")
    assert time.perf_counter() - begin < 2
    begin = time.perf_counter()
    again = Store.open(sqlite)
    assert time.perf_counter() - begin < 0.05
    again.close()
