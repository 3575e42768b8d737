from pathlib import Path

import pytest

from pickwell.data.pool import Pool
from pickwell.testing.format_bench import Bench, four_images


@pytest.fixture(scope="session")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Pool:
    return four_images(tmp_path_factory.mktemp("formats"))


@pytest.fixture
def bench(pool: Pool, tmp_path: Path) -> Bench:
    return Bench(pool, tmp_path)
