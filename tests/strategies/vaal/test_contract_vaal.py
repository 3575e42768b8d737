"""VAAL and vaal-diverse keep to what every strategy keeps to."""

from pickwell.strategies import Strategy
from pickwell.strategies.vaal import VAAL
from pickwell.strategies.vaal_diverse import VAALDiverse
from pickwell.testing.strategy_contract import StrategyContract


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
