import numpy as np
import pytest
from numpy.testing import assert_allclose
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from pickwell.acquisition import projection
from pickwell.acquisition.projection import plane, spread


def cloud(count: int, width: int = 7) -> NDArray[np.float32]:
    rng = np.random.default_rng(4)
    made = rng.normal(size=(count, width)) * np.linspace(3, 0.2, width) @ rng.normal(size=(width, width)) + 50
    return made.astype(np.float32)


def test_the_plane_is_scikit_learns_pca(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projection, "ROWS", 64)  # several blocks, the last one short
    rows = cloud(1000)
    mean, axes = plane(rows)
    reference = PCA(2).fit(rows.astype(float))
    assert_allclose(mean, rows.mean(0, dtype=float))
    assert_allclose(np.abs(reference.components_ @ axes), np.eye(2), atol=1e-6)
    assert (axes[np.abs(axes).argmax(0), [0, 1]] > 0).all()


def test_little_makes_no_plane_and_no_fault() -> None:
    for rows in (cloud(1), cloud(2), cloud(5, width=1), cloud(0)):
        mean, axes = plane(rows)
        assert axes.shape == (rows.shape[1], 2)
        assert np.isfinite((rows - mean) @ axes).all()


def test_a_map_has_all_that_is_wanted_and_the_rest_evenly() -> None:
    assert spread(5, 10, np.array([1])).tolist() == [0, 1, 2, 3, 4]
    places = spread(1000, 50, np.array([7, 501, 999]))
    assert len(places) <= 50
    assert {7, 501, 999} <= set(places.tolist())
    assert np.diff(places).max() <= 1000 / 46 + 1
    assert (np.diff(places) > 0).all()
    assert spread(1000, 3, np.arange(1000)).tolist() == [0, 1, 2]
