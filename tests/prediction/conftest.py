import shutil
from pathlib import Path

import pytest
from tests.cli.command import Cli
from tests.loop.test_encoded_campaigns import pictures

from pickwell.loop.campaign import Campaign
from pickwell.loop.creation import create


@pytest.fixture(scope="session")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign of 120 pictures of three kinds, 60 of them labelled, with a test set of 90; and `more` pictures."""
    root = tmp_path_factory.mktemp("taught")
    pictures(root / "train", 0, 40)
    pictures(root / "test", 100, 30)
    pictures(root / "more", 200, 2)
    create(root / "c", root / "train", test=root / "test", labels_from_folders=True)
    with Campaign(root / "c") as campaign:
        campaign.run(campaign.oracle("simulated"), rounds=2, budget=30)
    return root


@pytest.fixture
def root(taught: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(taught / "c", tmp_path / "c"))


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(monkeypatch, capsys)
