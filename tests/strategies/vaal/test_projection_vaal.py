"""The map that VAAL leaves of the pool."""

from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from sklearn.decomposition import PCA
from tests.strategies.vaal.unfolded import unfolded

from pickwell import strategies
from pickwell.strategies.vaal import pool_scorer
from pickwell.testing import FakeView, blobs, train_auxiliary

SMALL: dict[str, Any] = {"steps": 4, "latent": 4, "discriminator_width": 8}


def asked(name: str, **settings: Any) -> tuple[Any, Any, FakeView]:
    view = FakeView(blobs(48), [0, 5, 9, 20], [1, 2])
    strategy: Any = train_auxiliary(strategies.create(name, {**SMALL, **settings}), view)
    return strategy, strategy.select(view, 6), view


def test_a_map_is_the_principal_plane_of_the_latents() -> None:
    strategy, picks, view = asked("vaal", widths=[8])
    found = strategy.projection()
    unlabelled = view.unlabelled.ids()
    assert found.items.tolist() == [*unlabelled.tolist(), 0, 15, 27, 60]
    assert found.labelled.tolist() == [False] * len(unlabelled) + [True] * 4
    latents = [unfolded(strategy.trained(), view.images[place // 3][None]) for place in found.items.tolist()]
    mu = torch.cat([one.mu for one in latents]).numpy()
    reference = PCA(2).fit(mu[: len(unlabelled)].astype(float)).transform(mu)
    signs = np.sign((reference * found.points).sum(0))
    assert_allclose(found.points, reference * signs, atol=1e-4)
    assert np.isnan(found.scores[found.labelled]).all()
    scores = dict(zip(found.items.tolist(), found.scores.tolist(), strict=True))
    assert [scores[pick.item] for pick in picks] == pytest.approx([pick.score for pick in picks], abs=1e-5)


def test_of_a_large_pool_the_picks_are_always_on_the_map(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_scorer, "MAPPED", 20)
    strategy, picks, _ = asked("vaal-diverse", representation="features")
    found = strategy.projection()
    assert len(found.items) <= 20
    assert {pick.item for pick in picks} <= set(found.items.tolist())


def test_who_has_no_latents_has_no_map_and_who_has_no_d_no_scores() -> None:
    assert asked("vaal-no-vae", widths=[8])[0].projection() is None
    assert strategies.create("entropy").projection() is None
    found = asked("vaal-wasserstein", widths=[8])[0].projection()
    assert np.isnan(found.scores).all()
    assert np.isfinite(found.points).all()
