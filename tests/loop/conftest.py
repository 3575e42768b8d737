from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pickwell.loop.campaign import Campaign
from pickwell.loop.creation import create

QUICK: dict[str, Any] = {
    "model.width": 0.25,
    "training.epochs": 1,
    "training.precision": "fp32",
    "training.augment": "none",
    "strategy.name": "vaal",
    "strategy.steps": 3,
    "strategy.widths": [8],
    "strategy.latent": 4,
    "strategy.discriminator_width": 16,
}


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("campaigns") / "digits"
    create(root, "digits", settings=QUICK)
    return root


@pytest.fixture
def campaign(made: Path, tmp_path: Path) -> Iterator[Campaign]:
    import shutil

    root = tmp_path / "campaign"
    shutil.copytree(made, root)
    with Campaign(root) as opened:
        yield opened
