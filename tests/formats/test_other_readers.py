"""Other programs read what is exported."""

from pathlib import Path

import numpy as np
import pytest

from pickwell import formats
from pickwell.testing.format_bench import Bench

CLASSES = ("road", "car", "sky")


# Their decoder has not caught up with numpy 2.
@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")
@pytest.mark.parametrize("measured", ["segm", "bbox"])
def test_coco_evaluates_our_export_against_itself_as_perfect(
    bench: Bench, tmp_path: Path, measured: str, capsys: pytest.CaptureFixture[str]
) -> None:
    coco = pytest.importorskip("pycocotools.coco")
    evaluation = pytest.importorskip("pycocotools.cocoeval")
    draw = np.random.default_rng(0)
    values = [0, 1, 2, 255]
    masks = [draw.choice(values, bench.size(item)[::-1]).astype(np.uint8) for item in range(4)]
    context = bench.context("segmentation", CLASSES)
    formats.named("coco").write(tmp_path / "out.json", bench.labelled(masks), context)
    truth = coco.COCO(tmp_path / "out.json")
    told = truth.loadAnns(truth.getAnnIds())
    assert len(told) == sum(len({*np.unique(mask)} - {255}) for mask in masks)
    assert all((truth.annToMask(one) == (masks[one["image_id"] - 1] == one["category_id"] - 1)).all() for one in told)
    guessed = [{key: one[key] for key in ("image_id", "category_id", "segmentation")} | {"score": 1.0} for one in told]
    judged = evaluation.COCOeval(truth, truth.loadRes(guessed), measured)
    judged.evaluate()
    judged.accumulate()
    judged.summarize()
    assert judged.stats[0] == pytest.approx(1.0)
    capsys.readouterr()
