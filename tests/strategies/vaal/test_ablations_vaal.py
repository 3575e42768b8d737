"""VAAL's ablations: each keeps the contract, and leaves out what it says it leaves out."""

import weakref
from typing import Any

import pytest
import torch
from tests.strategies.vaal.unfolded import unfolded
from torch import Tensor
from torch.distributions import MultivariateNormal

from pickwell.errors import SettingsError
from pickwell.learner import Devices
from pickwell.strategies import Strategy, create
from pickwell.strategies.vaal.vaal import VAAL
from pickwell.strategies.vaal.vae_and_discriminator import Encoded, Pair
from pickwell.strategies.vaal_wasserstein import gaussian
from pickwell.testing import FakeView, StrategyContract, blobs, train_auxiliary

EXACT = "donot_use_mm_for_euclid_dist"
SMALL: dict[str, Any] = {"latent": 4, "widths": (4, 8), "discriminator_width": 16, "feature_width": 8}


def ablation(name: str, **settings: Any) -> VAAL:
    quick = {"steps": 4} | ({"vae_steps": 2} if name == "vaal-frozen" else {})
    made = create(name, SMALL | quick | settings)
    assert isinstance(made, VAAL)
    return made


@pytest.fixture(params=["pixels", "features"])
def representation(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Ablation(StrategyContract):
    name = ""

    @pytest.fixture(autouse=True)
    def on(self, representation: str) -> None:
        self.representation = representation

    def make(self) -> Strategy:
        return ablation(self.name, representation=self.representation)


class TestFrozen(Ablation):
    name = "vaal-frozen"


class TestNoVAE(Ablation):
    name = "vaal-no-vae"


class TestWasserstein(Ablation):
    name = "vaal-wasserstein"


class OnScenes(StrategyContract):
    masks = True
    name = ""

    def make(self) -> Strategy:
        return ablation(self.name, working_size=12)


class TestFrozenOnScenes(OnScenes):
    name = "vaal-frozen"


class TestNoVAEOnScenes(OnScenes):
    name = "vaal-no-vae"


class TestWassersteinOnScenes(OnScenes):
    name = "vaal-wasserstein"


class TestWassersteinToTheNearest(Ablation):
    def make(self) -> Strategy:
        return ablation("vaal-wasserstein", representation=self.representation, to="nearest")


def moved(name: str, step: int) -> set[str]:
    """Which modules' weights change in step number `step` (from 0)."""
    strategy, view = ablation(name), FakeView(blobs(), range(10))
    train_auxiliary(strategy, view, steps=step)
    before = {key: value.clone() for key, value in weights(strategy).items()}
    batch = view.draw(step, 16)
    strategy.train_step(batch, lambda: batch)
    return {key.split("/")[0] for key, value in weights(strategy).items() if not torch.equal(value, before[key])}


def weights(strategy: VAAL) -> dict[str, Tensor]:
    return {k: v for k, v in strategy.state().items() if k.startswith(("vae/", "discriminator/", "scoring_encoder/"))}


@pytest.mark.parametrize(
    ("name", "step", "expected"),
    [
        ("vaal", 0, {"vae", "scoring_encoder", "discriminator"}),
        ("vaal-frozen", 0, {"vae", "scoring_encoder"}),
        ("vaal-frozen", 1, {"vae", "scoring_encoder"}),
        ("vaal-frozen", 2, {"vae", "discriminator"}),  # the VAE takes the weights of its average, which scores
        ("vaal-frozen", 3, {"discriminator"}),
        ("vaal-no-vae", 0, {"vae", "scoring_encoder", "discriminator"}),
        ("vaal-wasserstein", 0, {"vae", "scoring_encoder"}),
        ("vaal-wasserstein", 3, {"vae", "scoring_encoder"}),
    ],
)
def test_only_what_is_named_is_trained(name: str, step: int, expected: set[str]) -> None:
    assert moved(name, step) == expected


def test_a_vae_alone_knows_nothing_of_the_discriminator() -> None:
    """Another D, another width: the same VAE."""
    view = FakeView(blobs(), range(10))
    states = []
    for name in ("vaal-frozen", "vaal-wasserstein"):
        for seed in (0, 1):
            strategy = ablation(name)
            train_auxiliary(strategy, view, steps=0)
            with torch.no_grad():
                for number, weight in enumerate(strategy.trained().discriminator.parameters()):
                    weight.add_(seed * (number + 1))
            train_auxiliary(strategy, view, start=1, steps=1)
            states.append({key: value for key, value in strategy.state().items() if key.startswith("vae/")})
    assert all(torch.equal(states[0][key], other[key]) for other in states[1:] for key in states[0])


def test_d_on_images_has_no_decoder() -> None:
    strategy = ablation("vaal-no-vae")
    train_auxiliary(strategy, FakeView(blobs(), range(10)))
    assert not [key for key in strategy.state() if "decoder" in key or "project" in key]


def test_distances_of_points_are_distances_of_gaussians() -> None:
    """Against the closed form for any two Gaussians, W2^2 = ||m1 - m2||^2 + tr(C1 + C2 - 2 (C1^.5 C2 C1^.5)^.5)."""
    g = torch.Generator().manual_seed(0)
    mu, logvar = torch.randn(2, 5, generator=g), torch.randn(2, 5, generator=g)
    points = gaussian(Encoded(mu, logvar, torch.zeros(2)))
    first, second = (MultivariateNormal(m, covariance_matrix=v.exp().diag()) for m, v in zip(mu, logvar, strict=True))
    root = first.covariance_matrix.sqrt()
    inner = (root @ second.covariance_matrix @ root).sqrt()
    squared = (mu[0] - mu[1]).square().sum() + (first.covariance_matrix + second.covariance_matrix - 2 * inner).trace()
    torch.testing.assert_close((points[0] - points[1]).square().sum(), squared)


@pytest.mark.parametrize("to", ["centroid", "nearest"])
def test_the_farthest_gaussians_are_queried(to: str) -> None:
    strategy, view = ablation("vaal-wasserstein", to=to), FakeView(blobs(), range(10))
    train_auxiliary(strategy, view)
    picks = strategy.select(view, 6)
    pair: Pair = strategy.trained()
    known, free = (gaussian(unfolded(pair, view.images[s.ids() // 3])) for s in (view.labelled, view.unlabelled))
    distance = torch.cdist(free, known.mean(0)[None] if to == "centroid" else known, compute_mode=EXACT).amin(1)
    order = distance.argsort(descending=True)[:6]
    assert [pick.item for pick in picks] == view.unlabelled.ids()[order].tolist()
    assert [pick.score for pick in picks] == pytest.approx(distance[order].tolist(), rel=1e-4)


def test_monitors_speak_only_of_what_there_is() -> None:
    view = FakeView(blobs(), range(10))
    said = {}
    for name in ("vaal-frozen", "vaal-no-vae", "vaal-wasserstein"):
        strategy = ablation(name)
        train_auxiliary(strategy, view).select(view, 3)
        said[name] = strategy.monitors()
    assert {"active_units", "discriminator_auc"} <= set(said["vaal-frozen"])
    assert "discriminator_auc" in said["vaal-no-vae"]
    assert "active_units" not in said["vaal-no-vae"]
    assert set(said["vaal-wasserstein"]) == {"active_units", "latent_units", "kl_per_unit", "warnings"}
    assert not any(text.startswith("D ") for text in said["vaal-wasserstein"]["warnings"])


@pytest.mark.parametrize(
    ("name", "settings", "sentence"),
    [
        ("vaal-frozen", {"steps": 5, "vae_steps": 5}, r"strategy\.vae_steps is 5; it must be at least 1 and below 5"),
        ("vaal-frozen", {"lambda2": 1.0}, "unknown setting of strategy vaal-frozen 'lambda2'"),
        ("vaal-no-vae", {"beta": 1.0}, "unknown setting of strategy vaal-no-vae 'beta'"),
        ("vaal-wasserstein", {"to": "mean"}, "setting 'to' of strategy vaal-wasserstein is 'mean': .*'centroid'"),
    ],
)
def test_a_setting_that_says_nothing_is_refused(name: str, settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        create(name, settings)


def test_without_labels_there_is_nothing_to_be_far_from() -> None:
    strategy, view = ablation("vaal-wasserstein"), FakeView(blobs(), [0])
    strategy.begin(Devices("fp32"), view.draw(0, 4))
    with pytest.raises(SettingsError, match="measures distances to labelled images, and none is; label some first"):
        strategy.select(FakeView(blobs(), []), 3)


@pytest.mark.parametrize("to", ["centroid", "nearest"])
def test_no_more_than_two_chunks_of_points_are_held_at_once(to: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a million labelled images the points would fill the memory twice: their mean, or a table, is enough."""
    alive: weakref.WeakSet[Tensor] = weakref.WeakSet()
    held: list[int] = []

    def counted(seen: Encoded) -> Tensor:
        alive.add(points := gaussian(seen))
        held.append(len(alive))
        return points

    monkeypatch.setattr("pickwell.strategies.vaal_wasserstein.gaussian", counted)
    monkeypatch.setattr("pickwell.strategies.vaal.pool_scorer.LARGEST_CHUNK", 4)
    view = FakeView(blobs(), range(40))
    train_auxiliary(ablation("vaal-wasserstein", to=to), view).select(view, 3)
    assert len(held) == 12
    assert max(held) <= 2
