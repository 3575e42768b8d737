"""Every format keeps to what every format keeps to."""

from pathlib import Path
from types import ModuleType

import pytest

from pickwell import formats
from pickwell.data.layouts import CAMVID
from pickwell.data.pool import Pool
from pickwell.formats.cityscapes import TRAIN_IDS
from pickwell.formats.voc import CLASSES as VOC
from pickwell.testing import FormatContract
from pickwell.testing.format_bench import Bench

CLASSES = {"cityscapes": TRAIN_IDS, "bdd100k": TRAIN_IDS, "camvid": CAMVID, "voc": VOC}


class TestEvery(FormatContract):
    name: str

    @pytest.fixture(autouse=True, params=formats.available())
    def chosen(self, request: pytest.FixtureRequest) -> None:
        self.name = request.param
        self.classes = CLASSES.get(self.name, FormatContract.classes)

    @pytest.fixture
    def bench(self, pool: Pool, tmp_path: Path) -> Bench:
        """As the contract's own, of images that are made once."""
        return Bench(pool, tmp_path)

    def make(self) -> ModuleType:
        return formats.named(self.name)
