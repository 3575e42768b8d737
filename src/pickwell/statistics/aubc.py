"""The area under the budget curve, and which numbers of labels curves may be compared at."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from pickwell.statistics.runs import Curve, Run, strategies

Curves = Mapping[str, Mapping[int, Curve]]
"""By strategy and seed."""
Value = Callable[[Curve], float]


def area(curve: Curve) -> float:
    """The area under the budget curve (AUBC): the mean height, by trapezoids over the labels paid for.

    >>> area({10: 0.5, 20: 0.7, 40: 0.7})
    0.6666666666666666
    """
    labels, values = list(curve), list(curve.values())
    if len(labels) < 2:
        return values[0]
    return float(np.trapezoid(values, labels) / (labels[-1] - labels[0]))


def first_rounds(count: int) -> Value:
    """The area over the first `count` rounds alone."""
    return lambda curve: area(dict(list(curve.items())[: count + 1]))


def curves_of(runs: Sequence[Run]) -> Curves:
    """The curves of the runs that were measured."""
    found: dict[str, dict[int, Curve]] = {name: {} for name in strategies(runs)}
    for run in runs:
        if curve := run.curve:
            found[run.strategy][run.seed] = curve
    return {name: curves for name, curves in found.items() if curves}


def shared_labels(curves: Iterable[Curve]) -> list[int]:
    """The numbers of labels at which all of these were measured, in order."""
    measured = [set(curve) for curve in curves]
    return sorted(set.intersection(*measured)) if measured else []


def at(curve: Curve, labels: Iterable[int]) -> Curve:
    """The curve at these numbers of labels alone."""
    return {count: curve[count] for count in labels}
