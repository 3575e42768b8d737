"""Labels that predictions contradict."""

import numpy as np

from pickwell.statistics.label_doubts import contradicted


def test_nothing_labelled_is_doubted_nowhere() -> None:
    assert contradicted(np.empty((0, 3)), np.empty(0, dtype=np.int64)).tolist() == []


def test_what_the_others_contradict_comes_first() -> None:
    said = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8], [0.05, 0.95], [0.3, 0.7]])
    labels = np.array([0, 0, 1, 1, 0, 0])
    # By hand: class 0's mean is (.9 + .8 + .05 + .3) / 4 = .5125, class 1's .85; of rows 4 and 5 only 4 reaches it.
    assert contradicted(said, labels).tolist() == [4]
    assert contradicted(np.vstack((said, [[0.02, 0.98]])), np.append(labels, 0)).tolist() == [6, 4]


def test_a_class_without_labels_takes_none() -> None:
    said = np.array([[0.3, 0.2, 0.5], [0.6, 0.3, 0.1], [0.1, 0.9, 0.0]])
    assert contradicted(said, np.array([0, 0, 1])).tolist() == []


def test_a_model_that_knows_nothing_doubts_nothing() -> None:
    assert contradicted(np.full((10, 4), 0.25), np.arange(10) % 4).tolist() == []


def test_flipped_labels_are_found() -> None:
    rng = np.random.default_rng(0)
    true = rng.integers(0, 5, 1000)
    logits = 4 * np.eye(5)[true] + rng.normal(size=(1000, 5))
    said = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    labels, flipped = true.copy(), rng.choice(1000, 50, replace=False)
    labels[flipped] = (true[flipped] + rng.integers(1, 5, 50)) % 5
    found = contradicted(said, labels)
    assert len(set(found) & set(flipped)) >= 35
    assert len(found) <= 45
