import time
from collections.abc import Callable

import pytest

from pickwell.items import Label, Pick
from pickwell.store import Store


def best(action: Callable[[], object], times: int = 5) -> float:
    """The shortest of several runs, in seconds: other programs can only make one longer."""
    taken = []
    for _ in range(times):
        begin = time.perf_counter()
        action()
        taken.append(time.perf_counter() - begin)
    return min(taken)


@pytest.mark.parametrize("count", [11_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_many_labels(make: Callable[[str], Store], sqlite: str, count: int) -> None:
    """Also fewer, but more than a statement takes parameters: in a tenth of the time."""
    store = make(sqlite)
    store.tell([Label(i, f"class {i % 10}") for i in range(count)], source="old.csv", imported=True)
    asked = [Pick(10**6 + i, i + 1, 0.5) for i in range(count // 10)]
    store.open_round(number=2, strategy="x", seed=0, picks=asked)
    labels = store.labels()
    assert (labels.items.tolist(), labels.values[9_999]) == (list(range(count)), "class 9")
    assert best(store.labels) < 3
    assert best(lambda: Store.open(sqlite).close()) < 0.5
    assert best(lambda: store.lease("ann", 5, 60)) < 0.5
    fresh = iter(range(10**6, 10**6 + 5))
    assert best(lambda: store.tell([Label(next(fresh), "owl")], source="page")) < 1
