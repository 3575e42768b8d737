"""What a model says of images that nobody labelled: all of them, calibrated, and accepted only with a promise."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.loop.test_encoded_campaigns import change

from pickwell.errors import LabelError, SettingsError
from pickwell.loop.campaign import Campaign
from pickwell.loop.creation import create
from pickwell.prediction.predictor import Predictor


def test_every_image_without_a_label_is_answered_once(root: Path) -> None:
    with Campaign(root) as campaign:
        predictor = Predictor(campaign)
        answers = list(predictor.answers(predictor.unlabelled()))
        known = [campaign.pool.item(one.item).known for one in answers]
        assert [one.item for one in answers] == campaign.unlabelled().tolist()
        assert len(answers) == 60
    assert np.mean([one.label == truth for one, truth in zip(answers, known, strict=True)]) > 0.7
    assert all(0 < one.confidence <= 1 for one in answers)


def test_the_temperature_is_found_on_labels_that_were_not_learnt(root: Path) -> None:
    with Campaign(root) as campaign:
        predictor = Predictor(campaign)
        assert 50 <= predictor.found_on <= 60
        assert predictor.temperature != 1.0


def test_too_few_labels_calibrate_nothing(taught: Path, tmp_path: Path) -> None:
    create(tmp_path / "c", taught / "more", labels_from_folders=True)
    with Campaign(tmp_path / "c") as campaign:
        with pytest.raises(LabelError, match="nothing is labelled yet"):
            Predictor(campaign)
        campaign.run(campaign.oracle("simulated"), rounds=1, budget=5)
        predictor = Predictor(campaign)
        assert (predictor.found_on, predictor.temperature) == (0, 1.0)
        with pytest.raises(LabelError, match=r"it takes 149 labels .* and there are \d; label 14\d more"):
            predictor.threshold(0.02)


def test_a_network_is_calibrated_on_what_was_held_out(root: Path) -> None:
    change(root, model__name="mlp", training__epochs=2)
    with Campaign(root) as campaign:
        assert Predictor(campaign).found_on == 0  # a test set was named, so nothing is held out


def test_what_is_accepted_is_as_right_as_promised(root: Path) -> None:
    with Campaign(root) as campaign:
        predictor = Predictor(campaign)
        answers = list(predictor.answers(predictor.unlabelled()))
        least = predictor.threshold(0.05)
        taken = [one for one in answers if one.raw >= least]
        right = [one.label == campaign.pool.item(one.item).known for one in taken]
    assert len(taken) > 10
    assert np.mean(right) >= 0.95


def test_wrong_where_it_is_surest_nothing_is_accepted(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Campaign(root) as campaign:
        predictor = Predictor(campaign)
        stream, true = campaign.judged(campaign.store.labels())
        false = (true[torch.arange(len(stream))] + 1) % 3
        monkeypatch.setattr(campaign, "judged", lambda labels: (stream, false))
        with pytest.raises(LabelError, match=r"of 90 images that it was measured on it has \d+ wrong"):
            predictor.threshold(0.1)


def test_images_from_elsewhere_are_seen_as_the_pools_are(root: Path, taught: Path) -> None:
    with Campaign(root) as campaign:
        predictor = Predictor(campaign)
        with predictor.pool(str(taught / "train")) as (pool, stream):
            answers = {pool.item(one.item).name: one for one in predictor.answers(stream)}
        assert len(answers) == 120
        for one in predictor.answers(predictor.unlabelled()):
            assert answers[campaign.pool.item(one.item).name].confidence == one.confidence
    assert not list(root.glob("predict-*"))


def test_masks_are_not_predicted_so(tmp_path: Path) -> None:
    from tests.loop.test_fine_tuning import STREET, scenes

    street = scenes(tmp_path / "street", side=40, count=2)
    create(tmp_path / "c", street / "images", masks=street / "masks", classes=["a", "b"], settings=STREET)
    with Campaign(tmp_path / "c") as campaign, pytest.raises(SettingsError, match="segmentation has none"):
        Predictor(campaign)
