"""Algorithms 1 and 2, trap by trap: each test fails when its trap is built in."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.strategies.vaal.unfolded import unfolded
from torch import Tensor, nn

from pickwell.errors import SettingsError, TrainingError
from pickwell.learner import Batch
from pickwell.learner.checkpoints import load_tensors, save_tensors
from pickwell.strategies import available, create, named
from pickwell.strategies.vaal import VAAL, paper_size
from pickwell.strategies.vaal import vector_tables as tables_module
from pickwell.strategies.vaal.networks import Discriminator
from pickwell.strategies.vaal_diverse import VAALDiverse
from pickwell.testing import FakeLearner, FakeView, blobs, train_auxiliary

SMALL = {"latent": 4, "widths": (4, 8), "discriminator_width": 16, "feature_width": 8}


def pool(**changes: object) -> FakeView:
    return replace(FakeView(blobs(), (1, 4, 5, 9, 12, 20), (2, 7)), **changes)  # type: ignore[arg-type]


def small(**changes: object) -> VAAL:
    return VAAL(**{"steps": 3, **SMALL, **changes})  # type: ignore[arg-type]


def passes(module: nn.Module) -> list[int]:
    """A list that grows by the batch size at every forward pass of `module`."""
    sizes: list[int] = []
    module.register_forward_hook(lambda _module, inputs, _output: sizes.append(len(inputs[0])))
    return sizes


def test_its_name_is_its_modules() -> None:
    assert {"vaal", "vaal-diverse"} <= set(available())
    assert (named("vaal"), named("vaal-diverse")) == (VAAL, VAALDiverse)
    assert create("vaal", {"widths": [4, 8]}) == VAAL(widths=(4, 8))


def test_both_halves_share_one_encoder_pass_and_ds_step_reuses_it() -> None:
    """Trap: separate passes let D win by each pool's batch-norm statistics."""
    strategy, view = small(), pool()
    train_auxiliary(strategy, view, steps=0)
    encoder, decoder = passes(strategy.trained().vae.encoder), passes(strategy.trained().vae.decoder)
    batch = view.draw(0, 8)
    strategy.train_step(batch, lambda: batch)
    assert (encoder, decoder) == ([16], [16])
    statistics = {name: tensor.clone() for name, tensor in strategy.trained().vae.encoder.named_buffers()}
    mirrored = small()
    train_auxiliary(mirrored, view, steps=0)
    mirrored.train_step(Batch(batch.x_u, batch.y_l, batch.x_l), lambda: batch)
    for name, tensor in mirrored.trained().vae.encoder.named_buffers():
        torch.testing.assert_close(tensor, statistics[name], msg=name)


def test_the_discriminator_is_not_moved_by_the_vaes_loss_nor_the_vae_by_the_discriminators() -> None:
    for rate, fixed in (("learning_rate", "vae/"), ("discriminator_learning_rate", "discriminator/")):
        strategy, view = small(**{rate: 1e-30}), pool()
        train_auxiliary(strategy, view, steps=0)
        before = {name: tensor.clone() for name, tensor in strategy.state().items()}
        train_auxiliary(strategy, view, start=1, steps=1)
        after = strategy.state()
        changed = {n.split("/")[0] for n in before if not torch.equal(before[n], after[n]) and n.endswith("weight")}
        assert fixed.rstrip("/") not in changed
        assert {"vae", "discriminator"} - {fixed.rstrip("/")} <= changed


def test_training_moves_d_towards_one_on_labelled_and_zero_on_unlabelled() -> None:
    """Trap: D trained to 1 on both pools."""
    images = torch.cat((torch.full((20, 3, 8, 8), 0.1), torch.full((20, 3, 8, 8), 0.9)))
    images = (images + 0.05 * torch.randn(images.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)
    view = FakeView(images, range(15))
    strategy = train_auxiliary(small(steps=150), view)
    picks = strategy.select(view, 25)
    # 5 unlabelled images are like the labelled ones; all others come before them.
    assert {pick.item for pick in picks[-5:]} == {place * 3 for place in range(15, 20)}
    assert picks[0].score > 0.5 > picks[-1].score
    assert strategy.monitors()["discriminator_auc"] > 0.85


def rig(strategy: VAAL, slope: float) -> None:
    """Makes the scoring D's logit `slope` x the first latent."""

    class Rigged(nn.Module):
        def forward(self, z: Tensor) -> Tensor:
            return slope * z[:, 0]

    strategy.trained().scoring_discriminator = Rigged()  # type: ignore[assignment]


def test_the_lowest_d_is_queried() -> None:
    """Trap: the query takes the largest D."""
    strategy, view = small(), pool()
    train_auxiliary(strategy, view)
    rig(strategy, 1.0)
    (ids,), (images,) = zip(*replace(view, batch_size=99).unlabelled.batches(), strict=True)
    logits = unfolded(strategy.trained(), images).mu[:, 0]
    order = logits.argsort()
    picks = strategy.select(view, 5)
    assert [pick.item for pick in picks] == ids[order[:5]].tolist()
    torch.testing.assert_close(torch.tensor([pick.score for pick in picks]), 1 - logits[order[:5]].sigmoid())


def test_saturated_scores_still_rank() -> None:
    """At 1 - D = 1.0 for all, the logits still tell images apart."""
    strategy, view = small(), pool()
    train_auxiliary(strategy, view)
    rig(strategy, 1.0)
    expected = [pick.item for pick in strategy.select(view, 40)]
    strategy.trained().scoring_encoder.mu.bias.data[0] -= 60
    picks = strategy.select(view, 40)
    assert {pick.score for pick in picks} == {1.0}
    # 60 costs a few digits of float32, so neighbours may tie: the ranking must hold on the whole.
    places = torch.tensor([expected.index(pick.item) for pick in picks]).float()
    assert torch.corrcoef(torch.stack((places, torch.arange(40.0))))[0, 1] > 0.99


def test_scoring_uses_the_encoder_alone_in_eval_mode_and_restores_nothing_because_it_changes_nothing() -> None:
    """Traps: VAE and D in train mode while scoring; the whole VAE run to score."""
    strategy, view = small(), pool()
    train_auxiliary(strategy, view)
    pair = strategy.trained()
    before = {name: tensor.clone() for name, tensor in strategy.state().items()}
    decoder, encoder, scoring = passes(pair.vae.decoder), passes(pair.vae.encoder), passes(pair.scoring_encoder.mu)
    strategy.select(view, 5)
    # A pool is one block, filled up: 40 images, 6 and 2.
    assert (decoder, encoder, scoring) == ([], [], [256] * 3)
    assert not any(module.training for module in pair.scoring_encoder.modules())
    assert pair.vae.training
    assert all(torch.equal(before[name], tensor) for name, tensor in strategy.state().items())


def test_a_score_does_not_depend_on_the_other_images() -> None:
    strategy, view = small(), pool()
    train_auxiliary(strategy, view)
    pair = strategy.trained()
    whole = unfolded(pair, view.images).logits
    alone = torch.cat([unfolded(pair, view.images[i : i + 1]).logits for i in range(len(view.images))])
    torch.testing.assert_close(alone, whole)


@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 1e-5), ("bf16", 0.03)])
@pytest.mark.parametrize("representation", ["pixels", "features"])
def test_folded_for_scoring_the_encoder_says_the_same(precision: str, tolerance: float, representation: str) -> None:
    strategy, view = small(steps=30, representation=representation), pool()
    train_auxiliary(strategy, view, precision=precision)
    strategy.select(view, 1)
    pair = strategy.trained()
    inputs = view.images if representation == "pixels" else torch.randn(9, 12)
    slow, fast = unfolded(pair, inputs), pair.encoding()(inputs)
    assert slow.mu.std() > 0.05
    for left, right in zip(fast, slow, strict=True):
        torch.testing.assert_close(left, right, atol=tolerance, rtol=tolerance)


def test_without_averaging_the_last_weights_score() -> None:
    plain, averaged, view = small(averaging=0.0), small(averaging=0.98), pool()
    for strategy in (plain, averaged):
        train_auxiliary(strategy, view)
    for mean, now in ((plain, True), (averaged, False)):
        state = mean.state()
        mine = {n.removeprefix("scoring_encoder/"): t for n, t in state.items() if n.startswith("scoring_encoder/")}
        pairs = [(t, state[f"vae/encoder.{n}"]) for n, t in mine.items() if t.is_floating_point()]
        assert all(torch.equal(*two) for two in pairs) is now


def test_the_average_is_the_one_documented() -> None:
    strategy, view = small(averaging=0.15, steps=9), pool()
    train_auxiliary(strategy, view, steps=0)
    weight = strategy.trained().vae.encoder.mu.weight
    mean = weight.detach().clone()
    for step in range(1, 5):
        train_auxiliary(strategy, view, start=step, steps=1)
        keep = min(0.15, (1 + step) / (10 + step))
        mean = keep * mean + (1 - keep) * weight.detach()
    torch.testing.assert_close(strategy.trained().scoring_encoder.mu.weight, mean)


def test_a_restored_state_goes_on_bit_by_bit(tmp_path: Path) -> None:
    view, straight, broken, resumed = pool(), small(steps=6), small(steps=6), small(steps=6)
    train_auxiliary(straight, view)
    train_auxiliary(broken, view, steps=3)
    save_tensors(tmp_path / "state.safetensors", broken.state())
    train_auxiliary(resumed, view, steps=0)
    found = load_tensors(tmp_path / "state.safetensors")
    assert found is not None
    resumed.load_state(found[0])
    train_auxiliary(resumed, view, start=3, steps=3)
    left, right = straight.state(), resumed.state()
    assert left.keys() == right.keys()
    assert all(torch.equal(left[name], right[name]) for name in left)
    assert straight.select(view, 9) == resumed.select(pool(), 9)


@pytest.mark.parametrize(("rate", "named", "loss"), [(1e20, r"1e\+20", "(nan|inf)"), (2, "2", r"\d\.\d+e\+\d+")])
def test_a_divergence_is_called_one_though_the_loss_may_stay_finite(rate: float, named: str, loss: str) -> None:
    strategy, view = small(learning_rate=rate, steps=9), pool()
    train_auxiliary(strategy, view, steps=0)
    text = rf"the VAE's .* loss is {loss} after \d+ steps: it diverged at learning rate {named}; set strategy\."
    with pytest.raises(TrainingError, match=text):
        train_auxiliary(strategy, view, start=1, steps=9)


def test_images_of_an_odd_size_are_picked() -> None:
    """Trap: a VAE hard-wired to 32 pixels."""
    images = torch.rand(24, 3, 21, 50, generator=torch.Generator().manual_seed(0))
    view = FakeView(images, range(6))
    assert len(train_auxiliary(small(), view).select(view, 3)) == 3


def test_bf16_training_ranks_like_fp32() -> None:
    view = pool()
    full, half = (train_auxiliary(small(steps=20), view, precision=p).select(view, 40) for p in ("fp32", "bf16"))
    ranks = [{pick.item: float(pick.rank) for pick in picks} for picks in (full, half)]
    both = torch.tensor([[rank[item] for item in ranks[0]] for rank in ranks])
    assert torch.corrcoef(both)[0, 1] > 0.8


def test_on_features_every_image_is_embedded_once_and_standardised() -> None:
    embedded: list[Tensor] = []

    class Counting(FakeLearner):
        def embed(self, images: Tensor) -> Tensor:
            embedded.append(images)
            return super().embed(images) * 1000 + 50

    strategy, view = small(representation="features"), pool(learner=Counting())
    train_auxiliary(strategy, view)
    assert strategy.state() == {}
    first = strategy.select(view, 9)
    assert sum(map(len, embedded)) == 40 + 6 + 2
    again = small(representation="features")
    view = pool()
    train_auxiliary(again, view)
    assert [pick.item for pick in again.select(view, 9)] == [pick.item for pick in first]


def test_tables_standardise_and_spill_to_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def embed(images: Tensor) -> Tensor:
        return torch.stack((images.mean((1, 2, 3)) * 9 + 4, torch.full((len(images),), 3.0)), 1)

    view = pool()
    tables = []
    for limit in (2**20, 1):
        monkeypatch.setattr("pickwell.acquisition.features.IN_MEMORY", limit)
        table = tables_module.embedded(view.unlabelled, embed, torch.device("cpu"))
        tables_module.standardise([table])
        tables.append(torch.cat([rows for _, rows in table.batches()]))
    assert torch.equal(tables[0], tables[1])
    torch.testing.assert_close(tables[0].mean(0), torch.zeros(2), atol=1e-5, rtol=0)
    torch.testing.assert_close(tables[0].std(0, correction=0), torch.tensor([1.0, 0.0]))


def test_monitors_report_the_last_query() -> None:
    strategy, view = small(), pool()
    train_auxiliary(strategy, view)
    assert strategy.monitors() == {}
    strategy.select(view, 3)
    found = strategy.monitors()
    assert found["latent_units"] == 4
    assert sum(found["score_histogram"]) == 40
    assert sum(found["score_histogram_labelled"]) == 6
    assert sum(found["score_histogram_held_out"]) == 2
    assert isinstance(found["warnings"], list)


@pytest.mark.parametrize(
    ("strategy", "told"),
    [
        (VAAL, "the picks follow little of what was learnt: train more steps (strategy.steps), or label a first batch"),
        (VAALDiverse, "its weights say nothing, so the picks are a plain cover of what is not labelled"),
    ],
)
def test_what_a_blind_d_means_is_each_strategys_to_say(
    strategy: type[VAAL], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, view = strategy(**{**SMALL, "representation": "pixels", "steps": 3}), pool()  # type: ignore[arg-type]
    train_auxiliary(made, view)
    # A D that calls all images alike.
    monkeypatch.setattr(Discriminator, "forward", lambda self, latents: latents.new_zeros(len(latents)))
    made.select(view, 3)
    (warning,) = [text for text in made.monitors()["warnings"] if text.startswith("D ")]
    assert warning.startswith(f"D blind: it cannot tell labelled from unlabelled (AUC 0.50); {told}")


@pytest.mark.parametrize(
    ("setting", "value", "text"),
    [
        ("steps", 0, "strategy.steps is 0; it must be a whole number of at least 1"),
        ("latent", -1, "strategy.latent is -1; it must be a whole number of at least 1"),
        ("widths", (), "strategy.widths is (); it must be one or more positive numbers"),
        ("beta", float("nan"), "strategy.beta is nan; it must be a number of at least 0"),
        ("lambda2", -1.0, "strategy.lambda2 is -1.0; it must be a number of at least 0"),
        ("learning_rate", 0.0, "strategy.learning_rate is 0.0; it must be a number above 0"),
        ("averaging", 1.0, "strategy.averaging is 1.0; it must be a number of at least 0 and below 1"),
        ("observation", "calibratd", "unknown strategy.observation 'calibratd'; did you mean 'calibrated'?"),
        ("representation", "pixel", "unknown strategy.representation 'pixel'; did you mean 'pixels'?"),
    ],
)
def test_a_wrong_setting_is_one_sentence(setting: str, value: object, text: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(text)):
        VAAL(**{setting: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("setting", ["reach", "candidates"])
def test_a_wrong_setting_of_the_cover_is_one_sentence(setting: str) -> None:
    with pytest.raises(SettingsError, match=f"strategy.{setting} is 0; it must be a number above 0"):
        VAALDiverse(**{setting: 0})  # type: ignore[arg-type]
    # Infinitely wide, everything is covered by anything, and the picks were the lowest ids.
    with pytest.raises(SettingsError, match=f"strategy.{setting} is inf"):
        VAALDiverse(**{setting: float("inf")})  # type: ignore[arg-type]


def test_an_unknown_space_is_one_sentence() -> None:
    with pytest.raises(SettingsError, match=r"unknown strategy\.space 'latent'; did you mean 'latents'\?"):
        VAALDiverse(space="latent")  # type: ignore[arg-type]


def test_the_papers_size() -> None:
    assert VAAL(**paper_size(64)) == VAAL(widths=(128, 256, 512, 1024), latent=64)


def test_diverse_covers_what_vaal_would_pick_twice() -> None:
    """Two groups of near-duplicates are absent from the labels: VAAL may spend all on one, the cover asks both."""
    colours = torch.tensor([[0.1, 0.1, 0.1], [0.9, 0.1, 0.1], [0.1, 0.1, 0.9]])
    groups = torch.tensor([0] * 30 + [1] * 20 + [2] * 10)
    noise = 0.02 * torch.randn(60, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    images = (colours[groups][:, :, None, None] + noise).clamp(0, 1)
    view = FakeView(images, range(10))
    for choice in ({"representation": "pixels"}, {"space": "latents"}, {"space": "inputs"}):
        strategy = VAALDiverse(**{**SMALL, "steps": 150, **choice})  # type: ignore[arg-type]
        picks = train_auxiliary(strategy, view).select(view, 2)
        assert {int(groups[pick.item // 3]) for pick in picks} == {1, 2}, choice
        assert 1 >= picks[0].score >= picks[1].score > 0


@pytest.mark.parametrize("representation", ["pixels", "features"])
def test_scoring_in_bfloat16_leaves_the_networks_as_they_are(representation: str) -> None:
    strategy, view = small(representation=representation), pool()
    train_auxiliary(strategy, view, precision="bf16").select(view, 5)
    kept = {name: (tensor.clone(), tensor.dtype) for name, tensor in strategy.state().items()}
    assert torch.bfloat16 not in {dtype for _, dtype in kept.values()}
    strategy.trained().encoding()
    assert all(torch.equal(tensor, kept[name][0]) for name, tensor in strategy.state().items())
