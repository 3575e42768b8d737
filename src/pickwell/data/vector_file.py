"""Files of vectors made elsewhere, each with a text: a label, or the name of its image."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from pickwell.errors import PoolError

Rows = NDArray[np.float32]
KINDS = (".npy", ".parquet", ".safetensors")


def is_list(kind: pa.DataType) -> bool:
    """Whether a column of that type holds vectors."""
    found: bool = pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind) or pa.types.is_large_list(kind)
    return found


def read(path: Path, column: str) -> tuple[Rows, list[str]]:
    """The vectors `(N, D)` and their texts: `column` "label" or "name".

    Parquet has a column of lists and one named `column`; those of NAME.npy and NAME.safetensors, which holds one
    tensor, are in NAME.labels.npy or, a line each, NAME.labels.txt beside it. Raises PoolError for anything else, for
    lists of different lengths and for values that are not finite.
    """
    try:
        found, texts = _parquet(path, column) if path.suffix == ".parquet" else _beside(path, column)
        rows = found.astype(np.float32, copy=False)
    except (OSError, KeyError, ValueError, TypeError, StopIteration, SafetensorError, pa.ArrowInvalid) as error:
        raise PoolError(
            f"{path} is no usable feature file: {error}; give a Parquet file with a list column and a column "
            f"'{column}', or NAME.npy or NAME.safetensors with NAME.{column}s.npy beside it"
        ) from error
    _check(rows, texts, path, column)
    return rows, texts


def _parquet(path: Path, column: str) -> tuple[NDArray[np.generic], list[str]]:
    table = pq.read_table(path)
    vectors = next((table[field.name] for field in table.schema if is_list(field.type)), None)
    if vectors is None:
        raise ValueError("it has no column of lists")
    texts = table[column].cast(pa.string()).to_pylist()
    if None in texts:
        raise ValueError(f"row {texts.index(None)} has no {column}")
    if len(pc.unique(pc.list_value_length(vectors))) > 1:
        raise ValueError("its lists are not all of one length")
    return np.asarray(pc.list_flatten(vectors)).reshape(len(table), -1), texts


def _beside(path: Path, column: str) -> tuple[NDArray[np.generic], list[str]]:
    rows = _tensor(path) if path.suffix == ".safetensors" else np.load(path)
    lines = path.with_suffix(f".{column}s.txt")
    if lines.is_file():
        return rows, lines.read_text(encoding="utf-8").splitlines()
    return rows, np.load(path.with_suffix(f".{column}s.npy")).astype(str).tolist()


def _tensor(path: Path) -> NDArray[np.generic]:
    tensors = load_file(path)
    if len(tensors) != 1:
        raise ValueError(f"it holds {len(tensors)} tensors ({', '.join(sorted(tensors)[:5])}), not one of vectors")
    (tensor,) = tensors.values()
    found: NDArray[np.generic] = tensor
    return found


def _check(rows: Rows, texts: list[str], path: Path, column: str) -> None:
    if rows.ndim != 2 or not rows.size or len(rows) != len(texts):
        raise PoolError(f"{path} has vectors of shape {rows.shape} for {len(texts)} {column}s; give one row a {column}")
    broken = ~np.isfinite(rows).all(1)
    if broken.any():
        first = int(broken.argmax())
        raise PoolError(
            f"{path}: {broken.sum()} of {len(rows)} vectors hold values that are not finite, the first in row {first}, "
            f"of {column} '{texts[first]}'; make them again, or leave those rows out"
        )
