"""VAAL and vaal-diverse keep to what every strategy keeps to, for classes and for masks."""

import pytest

from pickwell.strategies import Strategy, create
from pickwell.strategies.vaal import VAAL
from pickwell.strategies.vaal_diverse import VAALDiverse
from pickwell.testing import FakeDenseLearner, FakeView, StrategyContract, scenes, train_auxiliary


class TestVAAL(StrategyContract):
    def make(self) -> Strategy:
        return VAAL(steps=3, latent=4, widths=(4, 8), discriminator_width=16)


class TestVAALOnFeatures(StrategyContract):
    def make(self) -> Strategy:
        return VAAL(steps=3, latent=4, feature_width=8, discriminator_width=16, representation="features")


class TestVAALDiverse(StrategyContract):
    def make(self) -> Strategy:
        return VAALDiverse(steps=3, latent=4, widths=(4, 8), discriminator_width=16, representation="pixels")


class TestVAALDiverseOnFeatures(StrategyContract):
    def make(self) -> Strategy:
        return VAALDiverse(steps=3, latent=4, feature_width=8, discriminator_width=16, representation="features")


class TestVAALDiverseInLatents(StrategyContract):
    def make(self) -> Strategy:
        return VAALDiverse(steps=3, latent=4, feature_width=8, discriminator_width=16, space="latents")


class TestVAALOnPatches(StrategyContract):
    def make(self) -> Strategy:
        return VAAL(steps=3, latent=4, feature_width=8, discriminator_width=16, representation="patches")


class TestVAALOnScenes(StrategyContract):
    masks = True

    def make(self) -> Strategy:
        return VAAL(steps=3, latent=4, widths=(4, 8), discriminator_width=16, working_size=12)


class TestVAALOnFeaturesOfScenes(TestVAALOnFeatures):
    masks = True


class TestVAALDiverseOnScenes(StrategyContract):
    masks = True

    def make(self) -> Strategy:
        small = {"steps": 3, "latent": 4, "widths": (4, 8), "discriminator_width": 16, "working_size": 12}
        return create("vaal-diverse", {"representation": "pixels", **small})


@pytest.mark.parametrize("representation", ["patches", "both"])
def test_scenes_seen_as_vectors_do_not_depend_on_the_readers_batches(representation: str) -> None:
    found = []
    for batch_size in (1, 16):
        view = FakeView(scenes(24), [1, 4, 9], [2], batch_size=batch_size, learner=FakeDenseLearner())
        strategy = create("vaal-diverse", {"steps": 3, "representation": representation})
        found.append(train_auxiliary(strategy, view).select(view, 5))
    assert found[0] == found[1]
    assert len({pick.item for pick in found[0]}) == 5
