"""What can be taken unseen: the promise holds, and what is missing for it is said."""

import numpy as np
import pytest

from pickwell.statistics.acceptance import acceptance, needed


@pytest.mark.parametrize(("error", "count"), [(0.02, 149), (0.05, 59), (0.5, 5)])
def test_how_many_right_answers_a_promise_needs(error: float, count: int) -> None:
    assert needed(error) == count
    assert acceptance([0.9] * count, [True] * count, error).threshold == 0.9
    short = acceptance([0.9] * (count - 1), [True] * (count - 1), error)
    assert (short.threshold, short.missing) == (None, 1)


def test_nothing_measured_promises_nothing() -> None:
    found = acceptance([], [], 0.02)
    assert (found.threshold, found.measured, found.missing) == (None, 0, 149)


def test_the_sure_ones_are_taken_and_the_unsure_are_not() -> None:
    sure = np.linspace(1, 0, 1000)
    right = sure > 0.5
    found = acceptance(sure, right, 0.05)
    assert found.threshold is not None
    assert 0.45 < found.threshold < 0.52
    assert found.wrong / found.measured <= 0.05


def test_wrong_where_it_is_surest_nothing_is_promised() -> None:
    right = np.arange(1000) > 100
    found = acceptance(np.linspace(1, 0, 1000), right, 0.02)
    assert (found.threshold, found.missing, found.wrong) == (None, 0, 101)


def test_answers_as_sure_as_each_other_are_taken_together() -> None:
    right = [True] * 160 + [False] * 40
    assert acceptance([0.8] * 200, right, 0.02).threshold is None


@pytest.mark.parametrize("error", [0.1, 0.2])
def test_the_promise_is_broken_in_five_of_a_hundred_cases_at_most(error: float) -> None:
    # Errors that grow as confidence falls: whose share above a threshold is known.
    rng, broken, kept = np.random.default_rng(0), 0, 0
    for _ in range(400):
        sure = rng.random(300)
        right = rng.random(300) > 0.6 * (1 - sure)
        found = acceptance(sure, right, error)
        if found.threshold is not None:
            kept += 1
            broken += 0.6 * (1 - found.threshold) / 2 > error
    assert kept > 100
    assert broken <= 0.05 * 400 + 3 * (400 * 0.05 * 0.95) ** 0.5
