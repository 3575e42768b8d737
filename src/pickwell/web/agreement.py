"""How well annotators agree, beyond what chance would give."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any

from pickwell.store import Entry

ADJUDICATED = "adjudicated"
"""The source of a label by which somebody decided what others disagreed about."""


def standing(log: Iterable[Entry], *, without: str = "") -> dict[tuple[str, int], Entry]:
    """By annotator and item the newest entry that was not taken back, of other sources than `without`."""
    entries = [entry for entry in log if entry.source != without]
    undone = {entry.undoes for entry in entries}
    return {(e.annotator, e.item): e for e in entries if not e.is_undo and e.id not in undone}


def agreement(log: Iterable[Entry]) -> dict[str, Any]:
    """Cohen's kappa of each pair of annotators; Fleiss' of all where some image has more than two answers.

    Fleiss' kappa is measured on the images that have the number of answers that most of those have.
    """
    said: dict[int, dict[str, str]] = defaultdict(dict)
    for (name, item), entry in standing(log, without=ADJUDICATED).items():
        if entry.value is not None:
            said[item][name] = entry.value
    both: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for answers in said.values():
        for a, b in combinations(sorted(answers), 2):
            both[a, b].append((answers[a], answers[b]))
    return {
        "pairs": [{"names": [a, b], "images": len(two), "kappa": cohen(two)} for (a, b), two in sorted(both.items())],
        "together": _together([list(answers.values()) for answers in said.values()]),
    }


def _together(answers: Sequence[Sequence[str]]) -> dict[str, Any] | None:
    """Fleiss' kappa over all annotators; None where no item has more than two answers."""
    sizes = Counter(len(values) for values in answers if len(values) > 2)
    if not sizes:
        return None
    # Of equally common numbers of answers the larger.
    size = max(sizes, key=lambda n: (sizes[n], n))
    rated = [values for values in answers if len(values) == size]
    return {"answers": size, "images": len(rated), "kappa": fleiss(rated)}


def cohen(pairs: Sequence[tuple[str, str]]) -> float | None:
    """Cohen's kappa (1960): agreement above what chance would give; None where chance alone explains everything.

    >>> cohen([("a", "a"), ("b", "b"), ("a", "b"), ("b", "b")])
    0.5
    """
    n = len(pairs)
    observed = sum(a == b for a, b in pairs) / n
    first, second = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    expected = sum(first[name] * second[name] for name in first) / n**2
    return None if expected == 1 else (observed - expected) / (1 - expected)


def fleiss(rated: Sequence[Sequence[str]]) -> float | None:
    """Fleiss' kappa (1971) of items with the same number of answers each, by whomever; None as for `cohen`.

    >>> fleiss([["a", "a", "a"], ["b", "b", "b"]])
    1.0
    """
    size = len(rated[0])
    counts = [Counter(values) for values in rated]
    observed = sum(sum(n * n for n in one.values()) - size for one in counts) / (len(rated) * size * (size - 1))
    shares = sum(counts, Counter[str]())
    expected = sum((n / (len(rated) * size)) ** 2 for n in shares.values())
    return None if expected == 1 else (observed - expected) / (1 - expected)
