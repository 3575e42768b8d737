"""Vectors made elsewhere: looked up by name, and nothing that does not agree is overlooked."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save_file

from pickwell import encoders
from pickwell.encoders.features import FeatureFile
from pickwell.errors import EncoderError, PoolError

Rows = NDArray[np.float32]
Write = Callable[[Path, Rows, list[str]], Path]
NAMES = ["a/1.jpg", "a/2.jpg", "b/ö.jpg"]
ROWS = np.asarray([[1, 2], [3, 4], [5, 6]], np.float32)


def parquet(folder: Path, rows: Rows, names: list[str]) -> Path:
    pq.write_table(pa.table({"name": names, "vector": list(rows)}), folder / "v.parquet")
    return folder / "v.parquet"


def npy(folder: Path, rows: Rows, names: list[str]) -> Path:
    np.save(folder / "v.npy", rows.astype(np.float64))
    np.save(folder / "v.names.npy", np.asarray(names))
    return folder / "v.npy"


def safetensors(folder: Path, rows: Rows, names: list[str]) -> Path:
    save_file({"vectors": rows}, folder / "v.safetensors")
    (folder / "v.names.txt").write_text("\n".join(names) + "\n", encoding="utf-8")
    return folder / "v.safetensors"


@pytest.fixture(params=[parquet, npy, safetensors])
def write(request: pytest.FixtureRequest) -> Write:
    found: Write = request.param
    return found


def test_vectors_by_name(tmp_path: Path, write: Write) -> None:
    file = FeatureFile(write(tmp_path, ROWS, NAMES))
    assert file.length == 2
    assert file.disagreement(NAMES[::-1]) == ""
    rows, missing = file.vectors_of(["b/ö.jpg", "c.jpg", "a/1.jpg"])
    assert rows.dtype == np.float32
    assert rows.tolist() == [[5, 6], [1, 2]]
    assert missing == ["c.jpg"]
    assert file.unknown(["a/1.jpg"]) == ["a/2.jpg", "b/ö.jpg"]


def test_names_that_do_not_agree_are_counted_and_told(tmp_path: Path, write: Write) -> None:
    file = FeatureFile(write(tmp_path, ROWS, NAMES))
    pool = ["a/1.jpg", *(f"c/{n}.jpg" for n in range(7))]
    assert re.search(
        r"no vector for 7 names \(c/0.jpg, .*c/4.jpg and 2 more\) and vectors for 2 ", file.disagreement(pool)
    )
    assert file.disagreement(NAMES[:2]).endswith("has vectors for 1 name (b/ö.jpg), which are no images here")


def test_the_identity_tells_rows_and_names_apart(tmp_path: Path, write: Write) -> None:
    found = {FeatureFile(write(tmp_path, ROWS, NAMES)).identity for _ in range(2)}
    found |= {
        FeatureFile(write(tmp_path, ROWS + 1, NAMES)).identity,
        FeatureFile(write(tmp_path, ROWS, list("abc"))).identity,
    }
    assert len(found) == 3


def test_what_cannot_be_used_is_refused(tmp_path: Path, write: Write) -> None:
    broken = ROWS.copy()
    broken[1, 1], broken[2, 0] = np.nan, np.inf
    with pytest.raises(PoolError, match=r"2 of 3 vectors hold values that are not finite, the first in row 1, of name"):
        FeatureFile(write(tmp_path, broken, NAMES))
    with pytest.raises(EncoderError, match=r"has 1 name \(a\) more than once; keep one vector an image"):
        FeatureFile(write(tmp_path, ROWS, ["a", "b", "a"]))


@pytest.mark.parametrize("write", [npy, safetensors])
def test_shapes_that_are_no_table(tmp_path: Path, write: Write) -> None:
    with pytest.raises(PoolError, match=r"vectors of shape \(3, 2\) for 2 names; give one row a name"):
        FeatureFile(write(tmp_path, ROWS, ["a", "b"]))
    with pytest.raises(PoolError, match=r"vectors of shape \(3, 1, 2\) for 3 names"):
        FeatureFile(write(tmp_path, ROWS[:, None], NAMES))


def test_files_of_another_kind(tmp_path: Path) -> None:
    for name, content, said in (
        ("none.parquet", None, "none.parquet is no usable feature file"),
        ("text.parquet", b"no table", "text.parquet is no usable feature file"),
        ("text.npy", b"no array", "text.npy is no usable feature file"),
        ("text.safetensors", b"no tensors", "text.safetensors is no usable feature file"),
    ):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(PoolError, match=said):
            FeatureFile(tmp_path / name)
    save_file({"a": ROWS, "b": ROWS}, tmp_path / "two.safetensors")
    with pytest.raises(PoolError, match=r"it holds 2 tensors \(a, b\), not one of vectors"):
        FeatureFile(tmp_path / "two.safetensors")
    pq.write_table(pa.table({"name": ["a", None], "v": [[1.0], [2.0]]}), tmp_path / "null.parquet")
    with pytest.raises(PoolError, match="row 1 has no name"):
        FeatureFile(tmp_path / "null.parquet")
    np.save(tmp_path / "pickled.npy", np.asarray([{}, []], dtype=object))
    with pytest.raises(PoolError, match=r"pickled.npy is no usable feature file: .*pickle"):
        FeatureFile(tmp_path / "pickled.npy")


def test_a_feature_file_is_no_encoder() -> None:
    with pytest.raises(EncoderError, match=r"^features:v.npy holds vectors and can encode no image"):
        encoders.load("features:v.npy")
