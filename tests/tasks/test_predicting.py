import logging
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from pickwell.tasks.segmentation.label_maps import decode
from pickwell.tasks.segmentation.predicting import MOST, predict, uncertainty
from pickwell.tasks.segmentation.predictions import Predictions
from pickwell.testing import FakeDenseLearner, FakeStream

SCENES = torch.rand(5, 3, 6, 8, generator=torch.Generator().manual_seed(2))


def stream(ids: torch.Tensor) -> FakeStream:
    return FakeStream(SCENES, ids, batch_size=2)


def test_each_pick_has_the_mask_that_the_model_would_draw_and_how_unsure_it_is(tmp_path: Path) -> None:
    learner = FakeDenseLearner()
    predict(Predictions(tmp_path / "rounds"), 3, [4, 0, 2], learner, stream)
    here = tmp_path / "rounds/0003"
    named = {f"{item}.{kind}.png" for item in (0, 2, 4) for kind in ("mask", "uncertainty")}
    assert {path.name for path in here.iterdir()} == named
    for item in (0, 2, 4):
        chances = learner.predict(SCENES[item : item + 1])[0]
        assert (decode((here / f"{item}.mask.png").read_bytes()) == chances.argmax(0).numpy()).all()
        shares = -(chances * chances.log()).sum(0) / math.log(3)
        assert np.abs(decode((here / f"{item}.uncertainty.png").read_bytes()) / 255 - shares.numpy()).max() < 0.003


def test_only_the_best_ranks_have_pictures(tmp_path: Path) -> None:
    asked = []

    def noted(ids: torch.Tensor) -> FakeStream:
        asked.append(ids.tolist())
        return stream(torch.tensor([0]))

    predict(Predictions(tmp_path), 1, list(range(MOST + 7, 0, -1)), FakeDenseLearner(), noted)
    assert asked == [list(range(8, MOST + 8))]
    large = 2**24 + 1  # no float32
    predict(Predictions(tmp_path), 2, [large], FakeDenseLearner(), noted)
    assert asked[1:] == [[large]]


def test_uncertainty_is_none_for_certain_and_one_for_all_alike_and_small_for_large_images() -> None:
    chances = torch.zeros(1, 4, 60, 100)
    chances[:, 0, :, :50] = 1
    chances[:, :, :, 50:] = 0.25
    assert uncertainty(chances)[0, 0].tolist() == pytest.approx([0.0] * 50 + [1.0] * 50)
    small = uncertainty(chances, longest=10)
    assert small.shape == (1, 6, 10)
    assert small[0, 0].tolist() == pytest.approx([0.0] * 5 + [1.0] * 5)
    assert uncertainty(torch.full((1, 2, 1, 900), 0.5), longest=10).shape == (1, 1, 10)


def test_a_round_opens_without_them_where_they_cannot_be_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "0002").write_text("in the way")
    with caplog.at_level(logging.WARNING, "pickwell"):
        predict(Predictions(tmp_path), 2, [1], FakeDenseLearner(), stream)
    assert "round 2 has no predictions to look at" in caplog.text
