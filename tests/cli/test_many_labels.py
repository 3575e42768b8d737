"""Label files as long as a large pool's."""

import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from tests.cli.command import Cli

from pickwell.data.manifest import Manifest
from pickwell.loop.creation import create

COUNT = 100_000


@pytest.mark.slow
def test_100_000_labels_of_images_of_one_stem_are_imported_in_seconds(tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "photos").mkdir()
    Image.new("L", (8, 8)).save(tmp_path / "photos" / "image.png")
    create(tmp_path / "x", tmp_path / "photos", classes=["a", "b"], settings={"training.epochs": 1})
    known = [f"case{number:05d}/image.png" for number in range(COUNT)]
    ones = np.ones(COUNT, np.int32)
    rows = {"source": 0 * ones, "name": known, "path": pa.nulls(COUNT, pa.string()), "row": pa.nulls(COUNT, pa.int64())}
    rows |= {"width": 8 * ones, "height": 8 * ones, "known": pa.nulls(COUNT, pa.string())}
    Manifest.write(tmp_path / "x" / "pool" / "manifest.parquet", pa.table(rows))
    labels = "".join(f"{name},{'ab'[number % 2]}\n" for number, name in enumerate(known))
    (tmp_path / "labels.csv").write_text(f"name,label\n{labels}")
    began = time.process_time()
    code, said, _ = cli("import", tmp_path / "x", tmp_path / "labels.csv", "--format", "csv")
    assert (code, said.split(" labels")[0]) == (0, "kept 100,000")
    assert time.process_time() - began < 8  # 5 at most where nothing else runs; 5.7 beside ten busy processes
