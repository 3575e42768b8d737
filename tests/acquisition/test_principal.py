import numpy as np
import torch
from numpy.testing import assert_allclose
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from pickwell.acquisition.pca import leading, plane
from pickwell.acquisition.row_blocks import BLOCK


def cloud(count: int, width: int = 7) -> NDArray[np.float32]:
    rng = np.random.default_rng(4)
    made = rng.normal(size=(count, width)) * np.linspace(3, 0.2, width) @ rng.normal(size=(width, width)) + 50
    return made.astype(np.float32)


def test_the_plane_is_scikit_learns_pca() -> None:
    rows = cloud(2 * BLOCK + 100)  # several blocks, the last one short
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


def test_the_leading_vectors_come_by_size() -> None:
    values, vectors = leading(torch.diag(torch.tensor([1.0, 3.0, 2.0])), 2)
    assert values.tolist() == [3, 2]
    assert vectors.abs().tolist() == [[0, 0], [1, 0], [0, 1]]
    assert leading(torch.eye(1), 2)[1].shape == (1, 1)
