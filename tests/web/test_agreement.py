import random
from collections import Counter
from datetime import UTC, datetime

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from pickwell.store import Entry
from pickwell.web.agreement import agreement, cohen, fleiss


def entry(number: int, who: str, item: int, value: str | None, kind: str = "answer", **more: object) -> Entry:
    facts = {"source": "page", "round": 1, "time": datetime.now(UTC), "seconds": None, "undoes": None, **more}
    return Entry(number, item, value, kind, who, **facts)  # type: ignore[arg-type]


def test_cohens_kappa_is_scikit_learns() -> None:
    draw = random.Random(2)
    for _ in range(20):
        pairs = [(draw.choice("abc"), draw.choice("aab")) for _ in range(draw.randint(3, 40))]
        first, second = zip(*pairs, strict=True)
        assert cohen(pairs) == pytest.approx(cohen_kappa_score(first, second))
    assert cohen([("a", "a")] * 3) is None


def test_fleiss_kappa_of_the_published_example() -> None:
    """Ten subjects, fourteen raters, five categories (Wikipedia, after Fleiss 1971): 0.210."""
    table = [
        (0, 0, 0, 0, 14), (0, 2, 6, 4, 2), (0, 0, 3, 5, 6), (0, 3, 9, 2, 0), (2, 2, 8, 1, 1),
        (7, 7, 0, 0, 0), (3, 2, 6, 3, 0), (2, 5, 3, 2, 2), (6, 5, 2, 1, 0), (0, 2, 2, 3, 7),
    ]  # fmt: skip
    rated = [[name for name, n in zip("abcde", row, strict=True) for _ in range(n)] for row in table]
    assert fleiss(rated) == pytest.approx(0.20993, abs=1e-5)


def test_fleiss_kappa_is_that_of_a_table_of_counts() -> None:
    """The formula on a matrix of subjects and categories, as statistics packages have it."""
    rng = np.random.default_rng(3)
    rated = rng.choice(list("abcd"), (50, 3), p=[0.4, 0.3, 0.2, 0.1]).tolist()
    table = np.array([[Counter(row)[name] for name in "abcd"] for row in rated], float)
    n = 3
    by_subject = ((table**2).sum(1) - n) / (n * (n - 1))
    chance = ((table.sum(0) / table.sum()) ** 2).sum()
    assert fleiss(rated) == pytest.approx((by_subject.mean() - chance) / (1 - chance))
    assert fleiss([["a", "a"], ["a", "a"]]) is None


def test_agreement_is_of_what_stands() -> None:
    log = [
        entry(1, "ann", 1, "cat"),
        entry(2, "bob", 1, "dog"),
        entry(3, "bob", 1, None, "undo", undoes=2),
        entry(4, "bob", 1, "cat"),
        entry(5, "ann", 2, "dog"),
        entry(6, "bob", 2, "cat"),
        entry(7, "ann", 2, "cat"),  # thinks again
        entry(8, "ann", 3, "dog"),
        entry(9, "bob", 3, "dog"),
        entry(10, "ann", 4, "cat"),
        entry(11, "bob", 4, None, "skip"),
        entry(12, "eve", 4, "cat", source="adjudicated"),
    ]
    found = agreement(log)
    assert found["pairs"] == [{"names": ["ann", "bob"], "images": 3, "kappa": 1.0}]
    assert found["together"] is None
    more = agreement([*log, *(entry(20 + i, "eve", i, value) for i, value in ((1, "cat"), (2, "dog"), (3, "dog")))])
    assert (more["together"]["answers"], more["together"]["images"]) == (3, 3)
    assert more["together"]["kappa"] == fleiss([["cat"] * 3, ["cat", "cat", "dog"], ["dog"] * 3])
