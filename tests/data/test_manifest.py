import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pickwell.data.manifest import ROWS, Manifest, first_of_each
from pickwell.errors import PoolError, VersionError
from pickwell.items import Item


def rows(*names: str, source: int = 0, known: str | None = None) -> pa.Table:
    count = len(names)
    columns = {
        "source": [source] * count,
        "name": list(names),
        "path": [None] * count,
        "row": [None] * count,
        "width": range(count),
        "height": range(10, 10 + count),
        "known": [known] * count,
    }
    return pa.table({name: pa.array(values, ROWS.field(name).type) for name, values in columns.items()})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "manifest.parquet"


def test_what_is_written_is_read(path: Path) -> None:
    table = rows("b", "a", "c\n,", known="cat")
    table = table.set_column(2, "path", pa.array([None, "x.parquet", None])).set_column(
        3, "row", pa.array([None, 7, None])
    )
    Manifest.write(path, table)
    read = Manifest.read(path)
    assert len(read) == 3
    assert read.item(2) == Item(2, "c\n,", "cat")
    assert (read.where(0), read.where(1)) == ((0, "b", None), (0, "x.parquet", 7))
    assert read.names() == ["b", "a", "c\n,"]
    assert read.names([2, 0]) == ["c\n,", "b"]
    assert read.known(np.array([], dtype=np.int64)) == []
    assert read.sizes([1, 2]).tolist() == [[1, 11], [2, 12]]
    assert read.find_all(["d", "c\n,", "b", "caf\udce9", "a"]).tolist() == [-1, 2, 0, -1, 1]
    assert pq.read_table(path)["id"].to_pylist() == [0, 1, 2]


def test_appending_keeps_ids_and_passes_over_names_that_are_there(path: Path) -> None:
    first = Manifest.write(path, rows("b", "a", "b", known="cat"))
    assert first.names() == ["b", "a"]
    second = first.append(rows("c", "a", "c", "d", source=1))
    assert second.names() == ["b", "a", "c", "d"]
    assert second.names_of(1).to_pylist() == ["c", "d"]
    assert second.known() == ["cat", "cat", None, None]
    assert second.classes() == ["cat"]
    assert second.append(rows("a")).names() == second.names()
    assert Manifest.read(path).names() == second.names()
    assert pq.read_table(path)["id"].to_pylist() == [0, 1, 2, 3]
    # Who opened it before still sees what was there.
    assert (len(first), first.find_all(["c"]).tolist(), first.known()) == (2, [-1], ["cat", "cat"])


@pytest.mark.parametrize("item", [-1, 2, 10**12])
def test_unknown_items(path: Path, item: int) -> None:
    manifest = Manifest.write(path, rows("a", "b"))
    for look in (manifest.item, manifest.where, lambda i: manifest.known([0, i])):
        with pytest.raises(PoolError, match=f"unknown item {item}; the pool holds items 0 to 1"):
            look(item)


def test_what_is_no_manifest_is_told(path: Path) -> None:
    with pytest.raises(PoolError, match=r"no pool at .*: no manifest\.parquet there; make one with `pickwell init`"):
        Manifest.read(path)
    pq.write_table(pa.table({"a": [1]}), path)
    with pytest.raises(PoolError, match="is no pickwell manifest"):
        Manifest.read(path)
    Manifest.write(path, rows(*map(str, range(1000))))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(PoolError, match="is damaged"):
        Manifest.read(path)


def test_a_newer_manifest_is_told(path: Path) -> None:
    Manifest.write(path, rows("a"))
    table = pq.read_table(path)
    pq.write_table(table.replace_schema_metadata({"pickwell.manifest": "3"}), path)
    with pytest.raises(VersionError, match="has version 3, this pickwell reads 2; install a newer"):
        Manifest.read(path)


@given(st.lists(st.sampled_from(["", "a", "b", "c"])), st.integers(0, 5))
def test_first_of_each(names: list[str], cut: int) -> None:
    chunks = pa.chunked_array([names[:cut], names[cut:]], type=pa.string())
    assert first_of_each(chunks).to_pylist() == [name not in names[:i] for i, name in enumerate(names)]


def test_a_million_items_open_at_once(path: Path) -> None:
    count = 1_000_000
    big = pa.table(
        {
            "source": pa.array(np.zeros(count, np.int32)),
            "name": pa.array([f"class-{i % 100:03d}/image-{i}.jpg" for i in range(count)]),
            "path": pa.nulls(count, pa.string()),
            "row": pa.nulls(count, pa.int64()),
            "width": pa.array(np.full(count, 640, np.int32)),
            "height": pa.array(np.full(count, 480, np.int32)),
            "known": pa.DictionaryArray.from_arrays(pa.array(np.arange(count) % 7), list("abcdefg")).cast(pa.string()),
        }
    )
    Manifest.write(path, big)
    began = time.process_time()
    manifest = Manifest.read(path)
    assert manifest.item(999_999) == Item(999_999, "class-099/image-999999.jpg", "a")
    assert manifest.find_all(["class-098/image-999998.jpg"]).tolist() == [999_998]
    assert time.process_time() - began < 0.6  # 0.06 s where nothing else runs
    assert manifest.known([0, 8]) == ["a", "b"]


APPENDING = """
import sys
from pathlib import Path
import pyarrow as pa
from pickwell.data.manifest import ROWS, Manifest
path, count = Path(sys.argv[1]), 2000
for batch in range(10000):
    columns = {n: pa.nulls(count, ROWS.field(n).type) for n in ROWS.names}
    columns["name"] = pa.array([f"{batch}/{i}" for i in range(count)])
    Manifest.read(path).append(pa.table(columns)) if path.exists() else Manifest.write(path, pa.table(columns))
    print(batch, flush=True)
"""


def test_a_kill_never_leaves_half_a_manifest(path: Path) -> None:
    for delay in (0.0, 0.003, 0.011):
        path.unlink(missing_ok=True)
        with subprocess.Popen([sys.executable, "-c", APPENDING, path], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            acknowledged = [process.stdout.readline() for _ in range(3)]
            time.sleep(delay)
            process.send_signal(signal.SIGKILL)
            acknowledged += process.stdout.readlines()
        read = Manifest.read(path)
        whole = [line for line in acknowledged if line.endswith("\n")]
        assert len(read) in (2000 * len(whole), 2000 * (len(whole) + 1))
        assert read.names()[-1] == f"{len(read) // 2000 - 1}/1999"
