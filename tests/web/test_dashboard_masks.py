from collections.abc import Callable
from pathlib import Path

import numpy as np
from starlette.testclient import TestClient

from pickwell.items import Label, Pick
from pickwell.tasks.segmentation.label_maps import MaskFolder
from pickwell.web import Desk, create_app


def test_of_masks_the_dashboard_shows_mean_iou_and_the_classes_they_show(make: Callable[..., Path]) -> None:
    desk = Desk(make(3, **{"task.kind": "segmentation"}))
    desk.campaign.directory.masks.mkdir(exist_ok=True)
    masks = MaskFolder(desk.campaign.directory.masks)
    first, second = np.zeros((30, 40), np.uint8), np.full((30, 40), 255, np.uint8)
    first[3:9], second[0] = 2, 2
    desk.store.open_round(number=1, strategy="random", seed=0, picks=[Pick(0, 1, 0.5), Pick(1, 2, 0.5)])
    desk.store.tell([Label(0, masks.put(first)), Label(1, masks.put(second))], source="page")
    desk.store.record(1, {"mean_iou": 0.4, "pixel_accuracy": 0.7, "measured": 9}, labels=2)
    with TestClient(create_app(desk, hosts=("testserver",))) as client:
        told = client.get("/api/dashboard").json()
    assert told["metric"] == "mean_iou"
    assert told["curve"] == [{"labels": 2, "value": 0.4, "measured": 9, "low": None, "high": None}]
    assert told["balance"] == [{"round": 1, "counts": [1, 0, 2]}]
    desk.close()
